"""Settings of a training run."""

from pathlib import Path

import yaml

from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import damaged_values, pick
from vlfau.training import TrainConfig, read_config

FOLDER = Path(__file__).parents[2] / "configs"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(f'*{before}' for _ in range(9))}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
TAGS = ("python/object/apply:os.system", "python/object/new:os.system", "python/name:os.system", "python/module:os")


class Configuration(TextKind):
    separators = ":,[]{} \n"

    def prepare(self):
        for path in sorted(FOLDER.rglob("*.yaml")):
            (self.seeds / "-".join(path.relative_to(FOLDER).parts)).write_bytes(path.read_bytes())

    def damage(self, name, content, rng):
        chance = rng.random()
        if chance < 0.3:
            values = damaged_values(yaml.safe_load(content), rng)
            return yaml.safe_dump(values).encode("utf-8", "surrogatepass")
        if chance < 0.36:
            text, place = content.decode(), int(rng.integers(len(content) // 2))
            tag = f"!!{pick(rng, TAGS)} [\"touch '{self.touched}'\"]"
            return pick(rng, (f"{text}\nextra: {tag}\n", f"{tag}\n", f"{text[:place]} {tag} {text[place:]}")).encode()
        if chance < 0.38:
            return pick(rng, (BOMB, BOMB + "data: *j\n", "a: &a {b: *a}\n" + content.decode())).encode()
        return super().damage(name, content, rng)

    def write(self, folder, rng):
        path = super().write(folder, rng)
        changes = folder / "changes.txt"
        if rng is not None and rng.random() < 0.2:
            tag = f"!!python/object/apply:os.system [touch {self.touched}]"
            values = (tag, "2001-99-99", "[" * 3000, "9" * 5000, "{a", "1", "null", "x: y", "\t", "*a", "\0")
            keys = ("run.seed", "run", "data.aus", "run.seed.deep", "x.y", ".", "..", "data.manifest", "")
            changes.write_text(pick(rng, keys) + pick(rng, ("=", "=", "")) + pick(rng, values), "utf-8")
        return path

    def read(self, path):
        changes = path.with_name("changes.txt")
        config = read_config(path, [changes.read_text("utf-8")] if changes.exists() else [])
        assert isinstance(config, TrainConfig)
        au_ids = config.data.au_ids()
        assert au_ids is None or all(isinstance(au_id, int) for au_id in au_ids)
