"""Detection rate of synthetic faces, by accessory, occluder and camera effect."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import cv2
import numpy as np
from benchmarks.rows import Row
from numpy.typing import NDArray

from vlfau.faces import FaceFinder
from vlfau.synthetic import Renderer, Subject
from vlfau.synthetic.clips import Clip, Shot, shoot
from vlfau.synthetic.components import Components, components
from vlfau.synthetic.sampler import sampler

__all__ = ["measure"]

PRESET, SEED, SIZE = "wide", 41, 256
UNCOVERED_FRAMES, COMPONENT_FRAMES, FRAMES_PER_CLIP = 600, 60, 3
MIN_HEIGHT = 80
"""Smallest height in pixels of a face that counts."""

Finds = Callable[[NDArray[np.uint8]], bool]


def measure() -> Iterator[Row]:
    """Yield the share of frames in which each detector finds a face."""
    detectors = {"FaceMesh": _facemesh()}
    mtcnn = _mtcnn()
    if mtcnn is None:
        yield Row("MTCNN", "skipped; pip install --no-deps facenet-pytorch requests")
    else:
        detectors["MTCNN"] = mtcnn
    everyday = components("everyday")
    frames = list(_uncovered(everyday))
    for name, finds in detectors.items():
        yield Row(f"{name} finds uncovered faces of {MIN_HEIGHT} pixels or more", _share(finds, frames))
    for component, weights in everyday.kinds.items():
        for kind in (kind for kind, weight in weights.items() if weight):
            chances = _with(everyday, component, kind)
            images = [
                shot.image for shot in _shots(chances, gender=component.rpartition("_")[2], stop=COMPONENT_FRAMES)
            ]
            yield Row(f"{component} = {kind}", _shares(detectors, images))
    for effect in (effect for effect, chance in everyday.camera.items() if chance):
        chances = Components(everyday.kinds, MappingProxyType({**everyday.camera, effect: 1.0}), 17, 9, 7)
        images = [shot.image for shot in _shots(chances, stop=COMPONENT_FRAMES)]
        yield Row(f"camera: {effect}", _shares(detectors, images))


def _facemesh() -> Finds:
    finder = FaceFinder()
    return lambda image: bool(finder.find(image))


def _mtcnn() -> Finds | None:
    try:
        from facenet_pytorch import MTCNN
    except ImportError:
        return None
    detector = MTCNN(keep_all=True, device="cpu")
    return lambda image: detector.detect(image)[0] is not None


def _share(finds: Finds, images: list[NDArray[np.uint8]]) -> str:
    found = sum(map(finds, images))
    return f"{found} of {len(images)} ({100 * found / len(images):.1f} %)"


def _shares(detectors: Mapping[str, Finds], images: list[NDArray[np.uint8]]) -> str:
    return ", ".join(f"{name} {100 * np.mean(list(map(finds, images))):.0f} %" for name, finds in detectors.items())


def _uncovered(everyday: Components) -> Iterator[NDArray[np.uint8]]:
    bare = _with(everyday, "occluder", "none")
    kept = 0
    for shot in _shots(bare, stop=None):
        if shot.face_height >= MIN_HEIGHT:
            yield shot.image
            kept += 1
        if kept == UNCOVERED_FRAMES:
            return


def _with(everyday: Components, component: str, kind: str) -> Components:
    """Return the everyday components with one of them fixed."""
    kinds = MappingProxyType({**everyday.kinds, component: MappingProxyType({kind: 1.0})})
    return Components(kinds, everyday.camera, everyday.yaw_sigma, everyday.pitch_sigma, everyday.roll_sigma)


def _shots(chances: Components, *, gender: str = "", stop: int | None) -> Iterator[Shot]:
    """Render frames of new subjects; components of one gender are rendered on that gender."""
    cv2.setNumThreads(1)
    renderer, number = Renderer(SIZE), 0
    while stop is None or number * FRAMES_PER_CLIP < stop:
        wanted = {"women": "F", "men": "M"}.get(gender, "FM"[number % 2])
        subject = Subject.sample(SEED, number, gender="F" if wanted == "F" else "M", chances=chances)
        expressions = sampler(PRESET).clip(SEED, number, FRAMES_PER_CLIP)
        yield from shoot(renderer, subject, Clip.sample(subject, expressions, chances, SEED, 1, number))
        number += 1
