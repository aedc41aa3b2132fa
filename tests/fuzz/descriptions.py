"""The texts of the action units, and the words that they share."""

import json
import shutil
from pathlib import Path

import vlfau.language
from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import damaged_values, pick
from vlfau.facs import all_au_ids
from vlfau.language import Vocabulary, parse_global, parse_local
from vlfau.language.descriptions import default_descriptions, load_descriptions
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE, read_descriptions, write_descriptions

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


class Carried(TextKind):
    """The descriptions that a model brings."""

    def prepare(self):
        write_descriptions(self.seeds / DESCRIPTIONS_FILE, default_descriptions().for_aus((1, 12, 25)))

    def write(self, folder, rng):
        path = super().write(folder, None)
        if rng is None:
            return path
        if rng.random() < 0.6:
            text = json.dumps(damaged_values(json.loads(path.read_bytes()), rng))
            path.write_text(text, "utf-8", "surrogatepass")
        else:
            path.write_bytes(self.damage(path.name, path.read_bytes(), rng))
        return path

    def read(self, path):
        descriptions = read_descriptions(path)
        assert len(Vocabulary.for_aus(tuple(descriptions.units), descriptions)) > len(descriptions.units)
        for unit in descriptions.units.values():
            for template in unit.locals:
                text = template.fill(descriptions.wording)
                assert parse_local(text, descriptions).au_id == unit.au_id
            for template in unit.phrases:
                text = f"{descriptions.wording.subjects[None]} {template.fill(descriptions.wording)}."
                parse_global(text, descriptions)
