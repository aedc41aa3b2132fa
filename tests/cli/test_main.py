import json
import signal
import subprocess
import sys

import pytest

import vlfau
from vlfau.cli import main

NO_TORCH = """
import sys

BLOCKED = {
    "lightning", "onnx", "pydantic", "safetensors", "sklearn", "timm", "torch", "torchmetrics", "torchvision", "yaml"
}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocker())
from vlfau.cli import main

code = main(sys.argv[1:])
assert "torch" not in sys.modules
sys.exit(code)
"""

LIGHT_START = """
import sys
from vlfau.cli import main

main(["--help"])
heavy = {"numpy", "cv2", "onnxruntime", "PIL", "torch"} & sys.modules.keys()
assert not heavy, heavy
"""


def run(script, *arguments):
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


def test_the_whole_predict_path_runs_without_torch(tiny_bundle, astronaut, tmp_path):
    done = run(NO_TORCH, "predict", astronaut, "--model", tiny_bundle.folder, "--free-words", "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Lip Corner Puller" in done.stdout
    assert (tmp_path / "out" / "results.csv").is_file()


def test_info_runs_without_torch(tiny_bundle):
    done = run(NO_TORCH, "info", "--model", tiny_bundle.folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_texts_are_scored_without_torch(tmp_path):
    (tmp_path / "frame.png").touch()
    manifest, texts = tmp_path / "manifest.csv", tmp_path / "texts.jsonl"
    manifest.write_text("image,subject,AU4,AU12\nframe.png,A,0,1\n")
    texts.write_text('{"image": "frame.png", "text": "She smiles, but her brows are not lowered."}\n')
    done = run(NO_TORCH, "truth", manifest, texts, "--out", tmp_path / "truth.json")
    assert (done.returncode, done.stderr) == (0, "")
    scores = json.loads((tmp_path / "truth.json").read_text())
    assert (scores["shares"]["true"]["value"], scores["shares"]["true"]["count"]) == (1.0, 2)


def test_a_command_that_needs_torch_says_how_to_get_it(tmp_path):
    done = run(NO_TORCH, "train", tmp_path / "config.yaml")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "need the extra 'train', which is not installed; run: pip install '" in done.stderr


def test_help_imports_nothing_heavy():
    done = run(LIGHT_START)
    assert (done.returncode, done.stderr) == (0, "")
    assert "predict" in done.stdout


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == vlfau.__version__


@pytest.mark.parametrize("arguments", [["nothing"], ["predict"], ["predict", "a.jpg", "--describe", "all"]])
def test_a_wrong_command_line_exits_with_2(arguments, capsys):
    assert main(arguments) == 2
    assert "Error" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["predict", "a.jpg"], ["batch", "films", "out"]])
def test_an_option_that_is_gone_is_named_with_the_one_to_use(arguments, capsys):
    assert main([*arguments, "--consistent"]) == 2
    assert capsys.readouterr().err == (
        "error: option --consistent was removed: captions agree with the states by default; omit it, or use "
        "--free-words for free captions\n"
    )


def test_public_names_are_sorted_and_can_be_imported():
    assert vlfau.__all__ == sorted(vlfau.__all__)
    assert all(getattr(vlfau, name) is not None for name in vlfau.__all__)
    assert dir(vlfau) == vlfau.__all__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        vlfau.nothing  # noqa: B018


def test_after_ctrl_c_a_second_one_ends_the_command_at_once(monkeypatch):
    def interrupt(words):
        raise KeyboardInterrupt

    monkeypatch.setattr("vlfau.cli._command_line", interrupt)
    monkeypatch.setattr(sys, "argv", ["vlfau", "info"])
    before = signal.getsignal(signal.SIGINT)
    try:
        assert main(["info"]) == 130
        assert signal.getsignal(signal.SIGINT) == before  # The process is somebody else's.
        assert main() == 130
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
