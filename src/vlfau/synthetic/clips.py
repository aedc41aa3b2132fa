"""Clips: some frames of a subject in one scene, filmed by one camera."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.background import sample_background
from vlfau.synthetic.camera import Camera
from vlfau.synthetic.components import Components
from vlfau.synthetic.expression import Expression
from vlfau.synthetic.framing import Framing
from vlfau.synthetic.geometry import Pose
from vlfau.synthetic.light import sample_light
from vlfau.synthetic.occluders import Occluder
from vlfau.synthetic.renderer import Renderer, Scene
from vlfau.synthetic.subject import Subject

__all__ = ["Clip", "Shot", "shoot", "shoot_one"]

MAX_YAW, MAX_PITCH = 40.0, 25.0
GAZE_YAW_SIGMA, GAZE_PITCH_SIGMA = 7.0, 4.0
DRIFT: Final = 0.35
"""Variation of the head pose within a clip, as a share of the variation between clips."""
CUT_SHIFT, CUT_ZOOM, CUT_TILT = 0.015, 0.03, 1.5
"""Standard deviations of the errors of a face crop: two shares of the picture, and degrees."""
CAMERA_STREAM: Final = 31
FOREHEAD, CHIN = 10, 152
"""FaceMesh landmarks between which the height of a face is measured."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One finished frame.

    Attributes:
        scene: The rendered scene.
        image: (size, size, 3) uint8, RGB, with the camera's effects.
        landmarks_xy: (2,) in pixels, by FaceMesh number.
        covered: Share of the picture that an occluder covers.
        resolution: Share of the pixels along one axis that the camera resolved.
    """

    scene: Scene
    image: NDArray[np.uint8]
    landmarks_xy: dict[int, NDArray[np.float64]]
    covered: float
    resolution: float

    @property
    def face_height(self) -> float:
        """Height of the face, in pixels that the camera resolved."""
        return self.resolution * float(np.linalg.norm(self.landmarks_xy[CHIN] - self.landmarks_xy[FOREHEAD]))


@dataclass(frozen=True, eq=False)
class Clip:
    """The scene of every frame, and everything that is constant within the clip.

    Attributes:
        scenes: One scene per frame.
        camera: The camera.
        occluder: An object in front of the face, or None.
        occluder_kind: One of the kinds of `occluder`.
        background: One of the kinds of `background`.
        seed: Seed of the camera's noise.
    """

    scenes: tuple[Scene, ...]
    camera: Camera
    occluder: Occluder | None
    occluder_kind: str
    background: str
    seed: tuple[int, ...]

    @classmethod
    def sample(
        cls,
        subject: Subject,
        expressions: list[Expression],
        chances: Components,
        *seed: int,
    ) -> "Clip":
        """Sample the scenes and the camera of a clip.

        Args:
            subject: The subject.
            expressions: One expression per frame.
            chances: The probabilities of lights, backgrounds, occluders and camera effects.
            seed: Whole numbers; the same numbers give the same clip.
        """
        rng = np.random.default_rng(seed)
        light = sample_light(chances.choose("light", rng), rng)
        background = chances.choose("background", rng)
        backdrop = sample_background(background, rng)
        kind = chances.choose("occluder", rng)
        occluder = None if kind == "none" else Occluder.sample(kind, subject.appearance.skin, rng)
        framing = Framing(
            distance=float(np.exp(rng.uniform(np.log(4.5), np.log(16)))),
            zoom=1 + float(np.clip(rng.normal(0, CUT_ZOOM), -0.1, 0.1)),
            aligned=True,
        )
        camera = Camera.sample(chances, rng)
        poses = _poses(len(expressions), chances, rng)
        scenes = []
        for expression, pose in zip(expressions, poses, strict=True):
            right, down = np.clip(rng.normal(0, CUT_SHIFT, 2), -0.05, 0.05)
            tilt = float(rng.normal(0, CUT_TILT))
            cut = replace(framing, right=float(right), down=float(down), tilt=tilt)
            scenes.append(Scene(expression, pose, light, cut, backdrop))
        return cls(tuple(scenes), camera, occluder, kind, background, seed)


def shoot(renderer: Renderer, subject: Subject, clip: Clip) -> Iterator[Shot]:
    """Render the frames of a clip."""
    for number, scene in enumerate(clip.scenes):
        yield shoot_one(renderer, subject, clip, scene, number)


def shoot_one(renderer: Renderer, subject: Subject, clip: Clip, scene: Scene, number: int) -> Shot:
    """Render a scene with the occluder and the camera of a clip, as frame `number`."""
    drawing = renderer.draw(subject, scene)
    image, covered = drawing.image, 0.0
    if clip.occluder is not None:
        image, covered = clip.occluder.draw(image, (number + 0.5) / len(clip.scenes))
    rng = np.random.default_rng([*clip.seed, CAMERA_STREAM, number])
    exposed = clip.camera.expose(image, rng)
    resolution = clip.camera.pixels(len(image)) / len(image)
    return Shot(scene, exposed, dict(drawing.landmarks_xy), covered, resolution)


def _poses(count: int, chances: Components, rng: np.random.Generator) -> list[Pose]:
    """Return poses that drift during the clip."""
    sigmas = np.array([chances.yaw_sigma, chances.pitch_sigma, chances.roll_sigma, GAZE_YAW_SIGMA, GAZE_PITCH_SIGMA])
    start = rng.normal(0, 1, 5) * sigmas
    drift = rng.normal(0, DRIFT, 5) * sigmas
    poses = []
    for time in (np.arange(count) + 0.5) / max(count, 1):
        yaw, pitch, roll, gaze_yaw, gaze_pitch = (float(angle) for angle in start + drift * time)
        yaw, pitch = float(np.clip(yaw, -MAX_YAW, MAX_YAW)), float(np.clip(pitch, -MAX_PITCH, MAX_PITCH))
        poses.append(Pose(yaw, pitch, roll, gaze_yaw, gaze_pitch))
    return poses
