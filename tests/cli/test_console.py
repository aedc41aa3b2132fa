import shutil
import subprocess
import sys

import pytest

from tests.runs.running import csv_rows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell and /dev/full")

COMMANDS = [
    ["info"],
    ["models"],
    ["--help"],
    ["--version"],
    ["predict", "missing.jpg"],
    pytest.param(["train", "missing.yaml"], marks=pytest.mark.slow),
]


@pytest.fixture
def shell(tmp_path):
    """Run vlfau with its streams redirected by a shell."""

    def run(arguments, redirection):
        command = f"{sys.executable} -m vlfau {' '.join(map(str, arguments))} {redirection}"
        return subprocess.run(
            ["bash", "-c", command], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=600
        )

    return run


@pytest.fixture
def pictures(astronaut, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        shutil.copy(astronaut, folder / f"{number}.png")
    return folder


@pytest.mark.parametrize("redirection", ["| head -1", "> /dev/full", "2> /dev/full", ">&-", "2>&-", ">&- 2>&-"])
def test_a_run_with_files_goes_on_when_the_screen_is_gone(shell, pictures, tiny_bundle, tmp_path, redirection):
    out = tmp_path / "out"
    arguments = ["predict", pictures, tmp_path / "missing.jpg", "--model", tiny_bundle.folder, "--out", out]
    done = shell(arguments, redirection)
    assert "Traceback" not in done.stderr
    assert [row["file"] for row in csv_rows(out / "results.csv")] == [str(pictures / f"{n}.png") for n in range(3)]
    assert (out / "in" / "2.png.vlfau.jpg").is_file()
    if redirection in {"| head -1", "> /dev/full", ">&-"}:
        assert "note: not all could be printed" in done.stderr


def test_a_run_without_files_ends_when_nobody_reads(shell, pictures, tiny_bundle):
    done = shell(
        ["predict", pictures, "--model", tiny_bundle.folder, "--free-words"], "| head -1; echo ${PIPESTATUS[0]}"
    )
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == "note: not all could be printed (Broken pipe)\n"


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("redirection", ["> /dev/full", "2> /dev/full", ">&- 2>&-"])
def test_no_command_ends_with_a_traceback(shell, arguments, redirection):
    done = shell(arguments, redirection)
    assert "Traceback" not in done.stderr + done.stdout
    assert "Exception ignored" not in done.stderr
    fails = arguments[0] in {"predict", "train"}
    if fails:
        assert done.returncode in {1, 2}  # Without a screen there may be nothing left to do.
    else:
        assert done.returncode == (0 if redirection == "2> /dev/full" else 1)


def test_what_could_not_be_printed_is_an_error(shell):
    done = shell(["info"], "> /dev/full")
    assert done.returncode == 1
    assert done.stderr.endswith("note: not all could be printed (No space left on device)\n")


def test_streams_are_put_back(capsys):
    from vlfau.cli import main

    before = sys.stdout, sys.stderr
    assert main(["--version"]) == 0
    assert (sys.stdout, sys.stderr) == before
