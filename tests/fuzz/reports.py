"""Folders of evaluated runs, as a report reads them."""

import json
import shutil

from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import damaged_values, pick
from tests.paper.built_runs import Data, write_ablation, write_crossval
from vlfau.paper.balance import draw_balance
from vlfau.paper.measures import measure_tables
from vlfau.paper.runs import find_runs
from vlfau.paper.score_tables import comparison_tables
from vlfau.paper.table_formats import to_csv, to_latex, to_markdown


class Runs(TextKind):
    def prepare(self):
        data = Data(self.seeds / "data")
        write_crossval(self.seeds / "runs" / "crossval", data)
        write_ablation(self.seeds / "runs" / "ablation", data, seeds=(1,))

    def write(self, folder, rng):
        path = shutil.copytree(self.seeds / "runs", folder / "runs", ignore=shutil.ignore_patterns("*.npz", "*.jsonl"))
        if rng is not None:
            files = [file for file in sorted(path.rglob("*.json")) if file.name != "config.json"]
            file = pick(rng, files)
            content = file.read_bytes()
            if rng.random() < 0.7:
                text = json.dumps(damaged_values(json.loads(content), rng))
                file.write_text(text, "utf-8", "surrogatepass")
            else:
                file.write_bytes(self.damage(file.name, content, rng))
        return path

    def read(self, path):
        runs = find_runs(path)
        for table in (*comparison_tables(runs), *measure_tables(runs)):
            assert all(write(table) for write in (to_markdown, to_csv, to_latex))
        draw_balance(runs)
