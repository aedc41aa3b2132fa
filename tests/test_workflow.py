"""What runs on other machines is pinned, may change nothing, and covers what the package promises."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TEST = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8"))


def test_a_workflow_reads_only_and_ends_and_its_actions_are_pinned():
    for workflow in WORKFLOWS:
        assert workflow["permissions"] == {"contents": "read"}
        for name, job in workflow["jobs"].items():
            assert "permissions" not in job, name
            assert job["timeout-minutes"] <= 60, name
            for step in job["steps"]:
                assert ("uses" in step) != ("run" in step), step
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + 40 * "0")), step
                assert "${{" not in step.get("run", ""), step


def test_every_python_that_is_promised_is_tested_on_three_systems():
    classifiers = [each.rpartition(":: ")[2] for each in PROJECT["classifiers"]]
    promised = [each for each in classifiers if re.fullmatch(r"3\.\d+", each)]
    assert f">={promised[0]}" == PROJECT["requires-python"]
    for job in ("test", "wheel"):
        matrix = TEST["jobs"][job]["strategy"]["matrix"]
        assert matrix["python"] == promised, job
        assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}, job


def test_what_make_check_checks_is_checked_there_too():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    variables = dict(re.findall(r"^([A-Z_]+) := (.+)$", makefile, re.MULTILINE))
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    commands = [
        re.sub(r"\$\((\w+)\)", lambda found: variables[found[1]], command)
        for command in re.findall(r"\$\(FULL\)/bin/(.+)", recipe)
    ]
    assert {"ruff", "mypy", "lint-imports", "pip-licenses"} <= {command.split()[0] for command in commands}
    run = [step["run"] for job in ("check", "test") for step in TEST["jobs"][job]["steps"] if "run" in step]
    lines = [line for text in run for line in text.splitlines()]
    assert [command for command in commands if command not in lines] == []
