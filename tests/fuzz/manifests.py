"""Tables of frames and of pairs, their descriptions, and lists of files."""

import json

from PIL import Image

from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import damaged_values
from vlfau.batch.inputs import find_files
from vlfau.data.check_descriptions import find_mismatches
from vlfau.data.describe import describe
from vlfau.data.manifest import read_manifest
from vlfau.evaluation.counterfactuals import read_pairs
from vlfau.evaluation.lost_frames import SKIPPED_FILE, read_lost_frames

HEAD = "image,subject,fold,gender,AU1,AU1_intensity,AU1_side,AU12,AU12_intensity,AU12_side,AU25,note"
ROWS = (
    "face.png,S1,1,F,1,3,left,0,0,,1,a",
    'other.png,"S,2",2,M,0,0.4,,1,5,both,,"b ""c"""',
    "third.png,S3,3,,,,,1,,right,0,",
    "face.png,S1,1,F,1,,,1,2.5,,1,ü",
)


class Manifest(TextKind):
    separators = ',\n"'

    def prepare(self):
        (self.seeds / "whole.csv").write_text("\n".join((HEAD, *ROWS, "")), "utf-8")
        (self.seeds / "marked.csv").write_text("\ufeff" + "\r\n".join((HEAD, *ROWS)), "utf-8")

    def write(self, folder, rng):
        for name in ("face.png", "other.png", "third.png"):
            Image.new("RGB", (2, 2)).save(folder / name)
        return super().write(folder, rng)

    def read(self, path):
        manifest = read_manifest(path)
        assert manifest.frames
        assert all(len(frame.states) == len(manifest.au_ids) for frame in manifest.frames)
        folds = {frame.subject_id: frame.fold for frame in manifest.frames}
        assert all(folds[frame.subject_id] == frame.fold for frame in manifest.frames)
        assert manifest.rates().shape == (len(manifest.au_ids),)


class Lists(TextKind):
    separators = ',\n"'

    def prepare(self):
        (self.seeds / "list.txt").write_text("a.mp4\nb/c.png\n\n d.avi\n", "utf-8")
        (self.seeds / "list.csv").write_text('file,note\na.mp4,1\n"b,c.png",2\n', "utf-8")

    def read(self, path):
        files = find_files(path)
        assert files
        assert len({file.name for file in files}) == len(files)


class Descriptions(TextKind):
    """Every frame in words: what they say otherwise is named, line by line."""

    def prepare(self):
        self._write_manifest(self.seeds / ".manifest.csv")
        describe(read_manifest(self.seeds / ".manifest.csv", pictures=False), self.seeds / "texts.jsonl")

    def damage(self, name, content, rng):
        if rng.random() < 0.5:
            lines = damaged_values([json.loads(line) for line in content.splitlines()], rng)
            texts = [json.dumps(line) for line in (lines if isinstance(lines, list) else [lines])]
            return "\n".join(texts).encode("utf-8", "surrogatepass")
        return super().damage(name, content, rng)

    def read(self, path):
        self._write_manifest(path.with_name("manifest.csv"))
        manifest = read_manifest(path.with_name("manifest.csv"), pictures=False)
        for mismatch in find_mismatches(manifest, path):
            str(mismatch).encode()

    def _write_manifest(self, path):
        rows = [row.replace("face.png", f"face{number}.png") for number, row in enumerate(ROWS)]
        path.write_text("\n".join((HEAD, *rows, "")), "utf-8")


class Skipped(TextKind):
    """The frames that a manifest leaves out."""

    separators = ',\n"'

    def prepare(self):
        rows = 'subject,clip,frame,reason,fold,AU1,AU12\nS1,T1,3,no face found,1,1,\n"S,2",T1,4,no picture,,0,1\n'
        (self.seeds / "skipped.csv").write_text(rows, "utf-8")

    def read(self, path):
        if path.name != SKIPPED_FILE:
            path = path.rename(path.with_name(SKIPPED_FILE))
        path.with_name("manifest.csv").write_text("image,subject,fold,AU1,AU12\nface.png,S1,1,1,\n", "utf-8")
        manifest = read_manifest(path.with_name("manifest.csv"), pictures=False)
        for fold in (1, None):
            lost = read_lost_frames(manifest, fold)
            if lost.occurrence is not None:
                assert lost.occurrence.shape == (len(lost.subject_ids), 2)


class Pairs(TextKind):
    separators = ',\n"'

    def prepare(self):
        (self.seeds / "pairs.csv").write_text("image,partner,au,partner_has_it\na.png,b.png,12,1\nc,d,1,0\n", "utf-8")

    def read(self, path):
        assert all(isinstance(pair.partner_has_it, bool) for pair in read_pairs(path))
