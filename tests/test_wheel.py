"""What the script that tests the wheel would notice; `make wheel-test` runs all of it."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "wheel_test.py"
SOURCES = {"vlfau/facs.py", "vlfau/weights/default/vision.onnx"}
INFO = {f"vlfau-1.dist-info/{name}" for name in ("METADATA", "licenses/LICENSE", "licenses/NOTICE")}


@pytest.fixture(scope="module")
def problems():
    return runpy.run_path(str(SCRIPT))["problems"]


def test_a_whole_wheel_has_no_problem(problems):
    assert list(problems(SOURCES | INFO, SOURCES)) == []


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (SOURCES | INFO | {"tests/test_facs.py"}, "tests/test_facs.py does not belong there"),
        (SOURCES | INFO | {"vlfau/leftover.bin"}, "vlfau/leftover.bin does not belong there"),
        (INFO | {"vlfau/facs.py"}, "vlfau/weights/default/vision.onnx is missing"),
        (SOURCES | INFO - {"vlfau-1.dist-info/licenses/NOTICE"}, "NOTICE is missing"),
    ],
)
def test_what_is_missing_or_too_much_is_named(problems, names, problem):
    assert list(problems(names, SOURCES)) == [problem]
