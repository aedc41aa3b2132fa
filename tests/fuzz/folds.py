"""Own folds for a data set."""

from tests.fuzz.bases import TextKind
from vlfau.prepare import read_protocol

TEXT = """
[bp4d]
[[bp4d.folds]]
subjects = ["F001", "M001"]
frames = 12
[[bp4d.folds]]
subjects = ["F002"]
positives = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
weights = [1, 1.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
"""


class Folds(TextKind):
    def prepare(self):
        (self.seeds / "folds.toml").write_text(TEXT, "utf-8")

    def read(self, path):
        protocol = read_protocol("bp4d", path)
        subjects = [subject for fold in protocol.folds for subject in set(fold.subjects)]
        assert len(subjects) == len(set(subjects))
        assert [protocol.fold_of(subject) for fold in protocol.folds for subject in fold.subjects] == [
            number for number, fold in enumerate(protocol.folds, 1) for _ in fold.subjects
        ]
