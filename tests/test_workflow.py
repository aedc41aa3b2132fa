"""What runs on other machines is pinned, may change nothing, and covers what the package promises."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEST = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_reads_only_and_ends_and_its_actions_are_pinned(path):
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + 40 * "0"))
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("job", ["test", "wheel"])
def test_every_python_that_is_promised_is_tested_on_three_systems(job):
    matrix = TEST["jobs"][job]["strategy"]["matrix"]
    least = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert f">={matrix['python'][0]}" == least
    assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}


def test_style_and_types_are_checked_as_by_make():
    commands = "\n".join(step.get("run", "") for step in TEST["jobs"]["check"]["steps"])
    makefile = (ROOT / "Makefile").read_text("utf-8")
    sources = re.search(r"^SOURCES := (.+)$", makefile, re.MULTILINE)[1]
    for command in ("ruff check", "ruff format --check"):
        assert f"{command} {sources}" in commands
    assert "mypy" in commands
