"""Finds all faces of a picture: large or small, many, and in any orientation."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ImageError
from vlfau.faces.detector import INPUT_SIZE, Detection, FaceDetector
from vlfau.faces.mesh import FaceMesh, Mesh, Region
from vlfau.faces.pose import HeadPose, estimate_pose
from vlfau.faces.session import CPU
from vlfau.faces.warp import apply_affine, invert_affine

__all__ = ["Face", "FaceFinder"]

ROUGH_PRESENCE, MIN_PRESENCE = 0.5, 0.95
"""Least presence by FaceMesh in the detector's rough region, and then in the region that its landmarks give."""
MARGIN = 1.25
"""How much wider than the picture the second squares are: a face that fills its picture needs a margin."""
QUARTER_TURNS = (0.0, np.pi / 2, np.pi, -np.pi / 2)
SURE_SCORE = 0.76
"""A detection below this score may be a face in another orientation."""
MIN_TURNED_SIDE = 2 * INPUT_SIZE
"""Tiles smaller than this, in pixels, are searched upright only: there are many."""
TILE_OVERLAP = 0.25
MAX_TILES = 128
"""Most tiles of one size: in 12 megapixels, faces below some 50 pixels are not searched for."""
PORTRAIT = 1 / 6
"""A face that takes up more than this share of the longer side makes a picture a portrait: no smaller face is
searched for."""
SAME_FACE = 0.3
MAX_READINGS = 4
SETTLED = 0.035
"""The share of a region's side by which a reading may move it without another one."""
OFF_CENTRE = 0.12
"""The share of a region's side by which a followed face may have moved before it is read once more."""
NEAR = 2.5
"""How much wider than a lost face's region its surroundings are."""


@dataclass(frozen=True)
class Face:
    """One face of a picture.

    Attributes:
        face_box_xyxy: (4,) float32, left, top, right and bottom of the landmarks, in pixels, inside the picture.
        landmarks_xy: (468, 2) float32, FaceMesh's landmarks in pixels.
        landmarks_z: (468,) float32, their depth in pixels, smaller nearer to the camera.
        score: The detector's, in [0, 1].
        pose: How the head is turned.
    """

    face_box_xyxy: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]
    landmarks_z: NDArray[np.float32]
    score: float
    pose: HeadPose


class FaceFinder:
    """Finds faces and their landmarks.

    First the whole picture is searched, then ever smaller, overlapping tiles: until a face is found, and, unless the
    picture is a portrait, one size further. While nothing is found, the picture and its large tiles are searched
    again with a margin, upright and rotated. FaceMesh must confirm every detection; a doubtful one is read in four
    orientations, and the best counts.

    Args:
        threads: Threads per network.
        min_score: The least score of a detection.
        max_faces: The most faces to return, largest first; None returns all.
        providers: What computes the networks, as ONNX Runtime names it: the first that can.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        min_score: float = 0.5,
        max_faces: int | None = None,
        providers: Sequence[str] = CPU,
    ) -> None:
        self._detect = FaceDetector(threads=threads, min_score=min_score, providers=providers)
        self._mesh = FaceMesh(threads=threads, providers=providers)
        self.max_faces = max_faces

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return the faces of a picture, largest first.

        Args:
            image: (H, W, 3) uint8, RGB.

        Raises:
            ImageError: The array has another shape or type.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ImageError(
                f"expected a picture of shape (height, width, 3) and type uint8, got {image.shape} {image.dtype}; "
                "convert it to RGB with 8 bits a channel"
            )
        image = np.ascontiguousarray(image)
        faces: list[Face] = []
        for level, looks in enumerate(_levels(image)):
            found_before = bool(faces)
            found = self._look(image, looks)
            if not found and not found_before and (level == 0 or looks[0].side >= MIN_TURNED_SIDE):
                found = self._look(image, [_again(look, angle) for look in looks for angle in QUARTER_TURNS])
            faces = _distinct(faces + found)
            if found_before or _has_portrait(faces, image):
                break
        return faces[: self.max_faces]

    def follow(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> list[Face | None]:
        """Find faces of one picture again in the next one of a video, without looking for others.

        Args:
            image: (H, W, 3) uint8, RGB.
            faces: Where they were.

        Returns:
            Each face as it is now, None if it is gone; the score is FaceMesh's presence. Two faces may have
            become the same.
        """
        regions = [_region(face) for face in faces]
        meshes = self._mesh(image, regions)
        doubtful = [
            place
            for place, (mesh, region) in enumerate(zip(meshes, regions, strict=True))
            if mesh.presence >= ROUGH_PRESENCE and (mesh.presence < MIN_PRESENCE or _is_off(mesh, region))
        ]
        again = self._mesh(image, [meshes[place].region() for place in doubtful])
        for place, mesh in zip(doubtful, again, strict=True):
            meshes[place] = mesh
        return [_face(mesh, mesh.presence, image) if mesh.presence >= MIN_PRESENCE else None for mesh in meshes]

    def glance(self, image: NDArray[np.uint8], known: Sequence[Face] = (), lost: Sequence[Face] = ()) -> list[Face]:
        """Return further faces of a picture, the larger ones and those where faces were lost, with little work.

        Args:
            image: (H, W, 3) uint8, RGB.
            known: Faces of this picture, which are not found again.
            lost: Faces of an earlier picture; their surroundings are searched closely, in their orientation.
        """
        around = [_region(face) for face in lost]
        looks = _levels(image)[0] + [Region(place.centre_xy, NEAR * place.side, place.angle) for place in around]
        return _distinct(self._look(image, looks, known))

    def _look(self, image: NDArray[np.uint8], looks: list[Region], known: Sequence[Face] = ()) -> list[Face]:
        known_boxes = [face.face_box_xyxy.astype(np.float64) for face in known]
        detections = _distinct_detections(self._detect(image, looks), known_boxes)
        readings = [_readings(detection) for detection in detections]
        meshes = iter(self._mesh(image, list(chain.from_iterable(readings))))
        first = [max(islice(meshes, len(ways)), key=lambda mesh: mesh.presence) for ways in readings]
        likely = [(d, mesh) for d, mesh in zip(detections, first, strict=True) if mesh.presence >= ROUGH_PRESENCE]
        settled = self._settled(image, [mesh for _, mesh in likely])
        return [
            _face(mesh, detection.score, image)
            for (detection, _), mesh in zip(likely, settled, strict=True)
            if mesh.presence >= MIN_PRESENCE
        ]

    def _settled(self, image: NDArray[np.uint8], meshes: list[Mesh]) -> list[Mesh]:
        """Read faces again, from their landmarks, until those stay; the detector's regions are rough."""
        meshes, moving = list(meshes), list(range(len(meshes)))
        for reading in range(MAX_READINGS):
            regions = [meshes[place].region() for place in moving]
            still_moving = []
            for place, region, mesh in zip(moving, regions, self._mesh(image, regions), strict=True):
                if reading and mesh.presence < MIN_PRESENCE <= meshes[place].presence:
                    continue  # A region that was good enough once stays.
                meshes[place] = mesh
                if mesh.presence >= ROUGH_PRESENCE and _moved(mesh, region) > SETTLED:
                    still_moving.append(place)
            moving = still_moving
        return meshes


def _region(face: Face) -> Region:
    return Mesh(face.landmarks_xy, face.landmarks_z, face.score).region()


def _is_off(mesh: Mesh, region: Region) -> bool:
    """Say whether a face lies so far from the middle of its region that another one shows it better."""
    return float(np.linalg.norm(mesh.region().centre_xy - region.centre_xy)) > OFF_CENTRE * region.side


def _moved(mesh: Mesh, region: Region) -> float:
    """Return how far a reading moves the corners of its region, at most, as a share of the region's side."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]])
    before, after = (apply_affine(invert_affine(place.matrix(1)), corners) for place in (region, mesh.region()))
    return float(np.linalg.norm(after - before, axis=1).max()) / region.side


def _levels(image: NDArray[np.uint8]) -> list[list[Region]]:
    """Return the squares to search: the whole picture, then tiles of half the side, of a quarter, down to the input's.

    Where tiles become too many, the small ones are left out, so that no picture takes forever.
    """
    height, width = image.shape[:2]
    longer = max(height, width)
    levels = [[Region(np.array([(width - 1) / 2, (height - 1) / 2]), float(longer), 0.0)]]
    side = longer / 2
    while 2 * side > 1.5 * INPUT_SIZE:
        side = max(side, float(INPUT_SIZE))
        across, down = _centres(width, side), _centres(height, side)
        if len(across) * len(down) > MAX_TILES:
            break
        levels.append([Region(np.array([x, y]), side, 0.0) for y in down for x in across])
        side /= 2
    return levels


def _centres(length: int, side: float) -> NDArray[np.float64]:
    """Spread tiles evenly over a line, so that neighbours overlap enough."""
    if length <= side:
        return np.array([(length - 1) / 2])
    count = int(np.ceil((length - side) / (side * (1 - TILE_OVERLAP)))) + 1
    return np.linspace(side / 2 - 0.5, length - side / 2 - 0.5, count)


def _again(look: Region, angle: float) -> Region:
    return Region(look.centre_xy, MARGIN * look.side, look.angle + angle)


def _readings(detection: Detection) -> list[Region]:
    """Return the ways to read a detection: as the detector saw it and, if that is doubtful, turned."""
    seen = detection.region()
    if detection.score >= SURE_SCORE:
        return [seen]
    return [Region(seen.centre_xy, seen.side, seen.angle + angle) for angle in QUARTER_TURNS]


def _face(mesh: Mesh, score: float, image: NDArray[np.uint8]) -> Face:
    height, width = image.shape[:2]
    points = np.clip(mesh.landmarks_xy, 0, [width - 1, height - 1])
    box = np.concatenate([points.min(0), points.max(0)]).astype(np.float32)
    pose = estimate_pose(mesh.landmarks_xy, mesh.landmarks_z)
    return Face(box, mesh.landmarks_xy, mesh.landmarks_z, score, pose)


def _has_portrait(faces: Sequence[Face], image: NDArray[np.uint8]) -> bool:
    return bool(faces) and np.sqrt(_area(faces[0].face_box_xyxy)) > PORTRAIT * max(image.shape[:2])


def _distinct(faces: Sequence[Face]) -> list[Face]:
    """Drop faces that were found twice, and sort by size."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_overlap(face.face_box_xyxy, other.face_box_xyxy) < SAME_FACE for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -_area(face.face_box_xyxy))


def _distinct_detections(
    detections: Sequence[Detection], known_boxes: Sequence[NDArray[np.float64]] = ()
) -> list[Detection]:
    """Drop detections of known faces, or that another look made better, so that FaceMesh has less to do."""
    kept: list[Detection] = []
    boxes = list(known_boxes)
    for detection in detections:
        corners = detection.corners_xy
        box = np.concatenate([corners.min(0), corners.max(0)])
        if all(_overlap(box, other) < 2 * SAME_FACE for other in boxes):
            kept.append(detection)
            boxes.append(box)
    return kept


def _area(box: NDArray[np.floating]) -> float:
    return float(np.clip(box[2:] - box[:2], 0, None).prod())


def _overlap(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return the shared area of two boxes as a share of the smaller."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.clip(high - low, 0, None).prod())
    return shared / max(min(_area(one), _area(other)), 1e-9)
