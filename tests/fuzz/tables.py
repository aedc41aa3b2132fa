"""Tables of results: read back, gone on with, and the list of an archive's files."""

import shutil

from tests.fuzz.bases import FileKind, TextKind
from tests.fuzz.mutate import damaged_bytes, damaged_text, pick, place
from tests.tables.made_up import a_model, a_run
from vlfau.batch.journal import Journal, Outcome, Status
from vlfau.tables.read import read_results
from vlfau.tables.text_writers import side_file
from vlfau.tables.write import open_sink

FORMATS = ("native", "openface", "pyfeat")


def write_tables(folder, suffix):
    for name in FORMATS:
        with open_sink(folder / f"{name}{suffix}", model=a_model(), format=name) as sink:
            for result in a_run(4):
                sink.write(result)


class _Tables(TextKind):
    suffix = ""

    def prepare(self):
        write_tables(self.seeds, self.suffix)

    def read(self, path):
        frame = read_results(path)
        assert len(frame.columns)
        assert "columns" in frame.attrs


class Csv(_Tables):
    suffix, separators = ".csv", ',\n"'

    def prepare(self):
        super().prepare()
        for path in self.seeds.glob("*.json"):
            path.unlink()


class JsonLines(_Tables):
    suffix = ".jsonl"


class Parquet(_Tables):
    suffix = ".parquet"

    def damage(self, name, content, rng):
        if rng.random() < 0.5:  # What it says of its rows lies at the end.
            middle = len(content) * 3 // 4
            return content[:middle] + damaged_bytes(content[middle:], rng)
        return damaged_bytes(content, rng)


class Partial(FileKind):
    """What a killed or damaged writer left, to be gone on with: nothing of an undisturbed run may be missing."""

    def prepare(self):
        write_tables(self.seeds, ".csv")
        write_tables(self.seeds, ".jsonl")

    def write(self, folder, rng):
        path = folder / (pick(rng, FORMATS) + pick(rng, (".csv", ".jsonl")) if rng is not None else "native.csv")
        side = side_file(path).name
        shutil.copy(self.seeds / side, folder / f"{side}.partial")
        content = (self.seeds / path.name).read_bytes()
        if rng is not None and rng.random() < 0.6:
            content = content[: place(rng, len(content))]
            (folder / "only-cut").touch()
        elif rng is not None:
            content = damaged_text(content.decode(), rng, ',\n"') if rng.random() < 0.5 else damaged_bytes(content, rng)
        path.with_name(f"{path.name}.partial").write_bytes(content)
        return path

    def read(self, path):
        is_cut = path.with_name("only-cut").exists()
        with open_sink(path, model=a_model(), format=path.stem, resume=True, flush_rows=2) as sink:
            for result in a_run(4):
                sink.write(result)
        if is_cut:
            assert path.read_bytes() == (self.seeds / path.name).read_bytes()


class Files(TextKind):
    """The list of the files that an archive has done."""

    separators = ',\n"'

    def prepare(self):
        with Journal(self.seeds / "files.csv") as journal:
            journal.add(
                Outcome(file=f"{name}.mp4", id=name, status=status, shard=f"{name}.parquet", frames=3, message="a,\nb")
                for name, status in zip("abc", Status, strict=True)
            )

    def read(self, path):
        with Journal(path) as journal:
            journal.add([Outcome(file="d.mp4", id="d", status=Status.FAILED)])
            journal.finish(path.with_name("errors.csv"))
            assert "d" in journal
            assert len(list(journal)) >= 1
