"""The example of docs/rivals.md is a method: it learns, in fifteen lines."""

import re
from pathlib import Path

import numpy as np

from tests.model.rivals.conftest import fit
from vlfau.model.rivals import registry

DOCS = Path(__file__).parents[3] / "docs" / "rivals.md"


def test_the_documented_method_is_one_class_and_one_line(make, monkeypatch):
    text = DOCS.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(lines) <= 15
    names = {}
    exec(code, names)
    (entry,) = re.findall(r"add `(.*?),` to `RIVALS`", text)
    monkeypatch.setattr(registry, "RIVALS", {**registry.RIVALS, **eval("{" + entry + "}", names)})
    totals = fit(make("peak-and-mean", dropout=0.0), 30)
    assert np.mean(totals[-5:]) < 0.9 * np.mean(totals[:5])


def test_every_method_is_in_the_table_and_has_a_configuration():
    text = DOCS.read_text(encoding="utf-8")
    configs = {path.stem for path in (DOCS.parents[1] / "configs" / "rivals").glob("*.yaml")}
    for method in registry.RIVALS:
        assert f"| `{method}` |" in text
    assert configs == {"baseline", *registry.RIVALS} - {"described-states"}
