"""The texts of the action units, and the words that they share."""

import shutil
from pathlib import Path

import vlfau.language
from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import pick
from vlfau.facs import all_au_ids
from vlfau.language.descriptions import load_descriptions

FOLDER = Path(vlfau.language.__file__).with_name("descriptions")


class _Descriptions(TextKind):
    pattern = ""

    def prepare(self):
        for path in FOLDER.glob(self.pattern):
            shutil.copy(path, self.seeds)

    def write(self, folder, rng):
        for path in FOLDER.glob("*.toml"):
            shutil.copy(path, folder)
        if rng is not None and rng.random() < 0.05:
            (folder / pick(rng, ("au00.toml", "au99.toml", "aux.toml"))).write_text("au = 99\n", "utf-8")
        return super().write(folder, rng).parent

    def read(self, path):
        descriptions = load_descriptions(path)
        assert tuple(descriptions.units) == tuple(all_au_ids())
        for unit in descriptions.units.values():
            for template in (*unit.active, *unit.inactive):
                assert template.fill(descriptions.wording, 3).endswith(".")


class Unit(_Descriptions):
    pattern = "au*.toml"


class Words(_Descriptions):
    pattern = "wording.toml"
