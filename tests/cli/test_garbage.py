import gc
import json
import subprocess
import sys
from importlib import import_module

import pytest

from vlfau.cli.garbage import quick_imports

COMMAND = """
import gc, json, sys
from vlfau.cli import main
told = {"code": main(sys.argv[1:]), "collects": gc.isenabled(), "modules": sorted(sys.modules)}
import cv2
print(json.dumps({**told, "opencv_threads": cv2.getNumThreads()}))

class Cycle:
    def __del__(self):
        print("searched for garbage")

one = Cycle()
one.itself = one
"""


def test_a_picture_needs_no_video_library_and_one_thread(astronaut, tmp_path):
    arguments = ["predict", astronaut, "--quiet", "--table", tmp_path / "faces.csv"]
    command = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "searched for garbage" not in done.stdout
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["code"] == 0
    assert told["collects"]
    assert told["opencv_threads"] == 1
    assert not {"av", "jinja2", "matplotlib", "pandas", "torch"} & set(told["modules"])


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_collected_again_after_imports_also_after_failed_ones(enabled):
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with quick_imports():
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
        with pytest.raises(ModuleNotFoundError), quick_imports():
            import_module("vlfau.absent")
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
