"""Renders a picture of a subject."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.facs import Side, action_unit
from vlfau.synthetic import materials
from vlfau.synthetic.au_shapes import au_reach
from vlfau.synthetic.background import plain_background
from vlfau.synthetic.canonical import canvas
from vlfau.synthetic.expression import Expression, Intensity, wrinkle_depths
from vlfau.synthetic.framing import Framing, View, project
from vlfau.synthetic.geometry import Neighbourhood, Pose, normals_of, openness, rotation
from vlfau.synthetic.head import load_head
from vlfau.synthetic.lashes import Target, draw_lashes
from vlfau.synthetic.light import Light
from vlfau.synthetic.paint import Grain
from vlfau.synthetic.rasteriser import Outlines, depth_map, interpolate, visible_triangles
from vlfau.synthetic.reflection import Lighting
from vlfau.synthetic.shading import Mesh, Person, Skin, shade
from vlfau.synthetic.subject import Subject, pose_subject
from vlfau.synthetic.surface import LASHES
from vlfau.synthetic.wrinkles import SIZE as RELIEF_SIZE
from vlfau.synthetic.wrinkles import folds, press

__all__ = ["Drawing", "Renderer", "Scene", "render"]

SHADOW_SIZE: Final = 384
SHADOW_CENTRE: Final = np.array([0.0, 7.1, 0.5])
SHADOW_REACH: Final = np.array([1.6, 1.6, -3.0])
"""Half the extent of the shadow map, in decimetres across, up and in depth."""
PORE_DEPTH: Final = 0.0006
MIN_DEPTH: Final = 0.01
BRIGHTENING: Final = 0.45
"""How far the exposure compensates for dark skin: 0 not at all, 1 completely."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything about a picture except the subject.

    Attributes:
        expression: The expression of the face.
        pose: Head pose and gaze.
        light: The light.
        framing: Position of the camera, and the crop.
        backdrop: (B, B, 3) float32, picture behind the head, sRGB from 0 to 255.
    """

    expression: Expression
    pose: Pose = field(default_factory=Pose)
    light: Light = field(default_factory=Light)
    framing: Framing = field(default_factory=Framing)
    backdrop: NDArray[np.float32] = field(default_factory=plain_background)


@dataclass(frozen=True, eq=False)
class Drawing:
    """A rendered picture.

    Attributes:
        image: (size, size, 3) uint8, RGB.
        landmarks_xy: (2,) in pixels, by FaceMesh number.
    """

    image: NDArray[np.uint8]
    landmarks_xy: Mapping[int, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class _Posed:
    """A subject's points, their normals, and their projection in samples."""

    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    view: View
    screen: NDArray[np.float32]


class Renderer:
    """Renders subjects.

    Args:
        size: Side length of the pictures in pixels.
        supersampling: Samples per pixel along each axis.
    """

    def __init__(self, size: int = 256, supersampling: int = 2) -> None:
        self.size, self.supersampling = size, supersampling
        samples = size * supersampling
        self._shown = np.empty((samples, samples), np.int32)
        self._nearest = np.empty((samples, samples), np.float32)
        self._picture = np.empty((samples, samples, 3), np.float32)
        self._shadow = np.empty((SHADOW_SIZE, SHADOW_SIZE), np.float32)
        self._relief = np.empty((RELIEF_SIZE, RELIEF_SIZE, 4), np.float32)
        head = load_head()
        self._around = Neighbourhood.of(head.parts["skin"].mesh, head.parts["skin"].points.stop)
        self._lashes = {name: head.parts[name].point[head.parts[name].drawn] for name in LASHES}
        self._eyes = np.stack([head.mean[head.parts[name].points].mean(0) for name in ("l-eye", "r-eye")])

    def draw(self, subject: Subject, scene: Scene) -> Drawing:
        """Return the picture of a subject in a scene."""
        posed = self._pose(subject, scene)
        self._find_visible(subject, posed)
        self._fold(subject, scene.expression)
        self._shade(subject, scene, posed)
        for name, triangles in self._lashes.items():
            darkness = subject.appearance.lashes * (1.0 if name.endswith("2") else 0.3)
            draw_lashes(
                posed.screen, triangles, subject.surface.mean_points, darkness, Target(self._nearest, self._picture)
            )
        small = cv2.resize(self._picture, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return Drawing(np.clip(small + 0.5, 0, 255).astype(np.uint8), posed.view.landmarks_xy)

    def regions(
        self, subject: Subject, scene: Scene, au_sides: Mapping[int, Side]
    ) -> Mapping[int, NDArray[np.float32]]:
        """Return masks of the skin that AUs move, in the picture of a scene: where it is, and where it would rest.

        What the skin uncovers belongs to the region: the eye under a raised lid, the teeth between funneled lips.

        Args:
            subject: The subject.
            scene: The scene; the AUs need not be active in its expression.
            au_sides: The side on which each AU is active, by FACS number.

        Returns:
            (size, size) float32 by AU: how far the visible skin moves, relative to the largest movement; 0 where no
            skin is visible. Occluders are not taken into account.

        Raises:
            ConfigError: There is no such AU.
        """
        reaches = [au_reach(action_unit(au_id).number, side) for au_id, side in au_sides.items()]
        if not reaches:
            return {}
        found = dict(zip(au_sides, self._spread(subject, scene, reaches), strict=True))
        for au_id, reach in zip(au_sides, reaches, strict=True):
            if scene.expression.intensity(au_id):
                resting = replace(scene, expression=scene.expression.without(au_id))
                found[au_id] = np.maximum(found[au_id], self._spread(subject, resting, [reach])[0])
        return found

    def _spread(
        self, subject: Subject, scene: Scene, reaches: Sequence[NDArray[np.float32]]
    ) -> Sequence[NDArray[np.float32]]:
        """Spread values of the points of the head over the skin that a scene shows, (size, size) each."""
        posed, surface = self._pose(subject, scene), subject.surface
        self._find_visible(subject, posed)
        seen = np.where(surface.materials[self._shown] == materials.SKIN, self._shown, -1)
        values = np.zeros((len(posed.points), len(reaches)), np.float32)
        values[: len(reaches[0])] = np.stack(reaches, axis=1)
        found = np.zeros((*seen.shape, len(reaches)), np.float32)
        interpolate(posed.screen, surface.triangles, seen.astype(np.int32), values, found)
        planes = (np.ascontiguousarray(plane) for plane in np.moveaxis(found, 2, 0))
        shape = (self.size, self.size)
        return [np.asarray(cv2.resize(plane, shape, interpolation=cv2.INTER_AREA), np.float32) for plane in planes]

    def _find_visible(self, subject: Subject, posed: _Posed) -> None:
        """Find the visible triangle of every sample."""
        surface = subject.surface
        self._shown.fill(-1)
        self._nearest.fill(0)
        outlines = Outlines(surface.triangles, surface.one_sided, surface.margins, surface.strands)
        visible_triangles(posed.screen, outlines, self._nearest, self._shown)

    def _pose(self, subject: Subject, scene: Scene) -> _Posed:
        points = pose_subject(subject, scene.expression, scene.pose)
        normals = np.empty_like(points)
        normals_of(points, subject.surface.triangles, normals)
        view = project(points, scene.framing, self.size)
        screen = view.screen * np.array([self.supersampling, self.supersampling, 1], np.float32)
        return _Posed(points, normals, view, screen)

    def _fold(self, subject: Subject, expression: Expression) -> None:
        """Write pores and folds into the relief."""
        np.multiply(_pores(), np.float32(0.6 + 0.8 * subject.identity.age), out=self._relief)
        available = folds(subject.fold_variant)
        depths = wrinkle_depths(expression, subject.identity.age, subject.fold_gain)
        for key, depth in depths.items():
            if depth > MIN_DEPTH:
                fold = available[key]
                press(self._relief, fold.relief, fold.top, fold.left, depth)

    def _shade(self, subject: Subject, scene: Scene, posed: _Posed) -> None:
        """Shade the picture: the backdrop, and the subject in front of it."""
        light, appearance, surface = scene.light, subject.appearance, subject.surface
        directions = np.array([light.key_direction, light.fill_direction], np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        vertices = (posed.screen, posed.points, posed.normals, surface.mean_points, self._openness(posed))
        mesh = Mesh(
            triangles=surface.triangles,
            corners=surface.corners,
            materials=surface.materials,
            vertices=np.concatenate(vertices, axis=1, dtype=np.float32),
            uv=surface.uv,
        )
        person = Person(
            colours=_rows(_colours(subject)),
            eyes=_rows(self._eyes),
            turned=_rows(rotation(scene.pose.yaw, scene.pose.pitch, scene.pose.roll)),
            gloss=float(appearance.gloss),
            collar=float(appearance.collar),
            darkness=float(appearance.darkness),
            teeth=float(appearance.teeth),
        )
        lighting = Lighting(
            camera=_rows(posed.view.camera[None])[0],
            directions=_rows(directions),
            colours=_rows(np.array([light.key, light.fill, light.sky, light.ground])),
            shadow_matrix=_rows(self._cast_shadows(posed.points, surface.coarse, directions[0])),
            exposure=float(1 + BRIGHTENING * appearance.darkness),
        )
        side = len(self._picture)
        self._picture[:] = cv2.resize(scene.backdrop, (side, side), interpolation=cv2.INTER_LINEAR)
        shade(self._shown, mesh, Skin(subject.texture, self._relief), person, lighting, self._shadow, self._picture)

    def _openness(self, posed: _Posed) -> NDArray[np.float32]:
        result = np.ones((len(posed.points), 1), np.float32)
        count = len(self._around.fine)
        openness(posed.points[:count], posed.normals[:count], self._around, result[:count, 0])
        return result

    def _cast_shadows(
        self, points: NDArray[np.float32], triangles: NDArray[np.int32], direction: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Render the shadow map, and return the matrix (3, 4) from positions to the map."""
        across = np.cross([0, 1, 0], direction)
        across /= np.linalg.norm(across) + 1e-9
        axes = np.stack([across, np.cross(direction, across), direction]) / SHADOW_REACH[:, None]
        matrix = np.column_stack([axes, -axes @ SHADOW_CENTRE]).astype(np.float32)
        count = len(self._around.fine)
        seen = points[:count] @ matrix[:, :3].T + matrix[:, 3]
        seen[:, 0] = (0.5 * seen[:, 0] + 0.5) * SHADOW_SIZE
        seen[:, 1] = (0.5 - 0.5 * seen[:, 1]) * SHADOW_SIZE
        self._shadow.fill(9)
        depth_map(seen.astype(np.float32), triangles, self._shadow)
        return matrix


def _rows(values: NDArray[np.floating]) -> Any:
    """Return an array's rows as tuples of plain numbers."""
    return tuple(tuple(row) for row in values.astype(np.float64).tolist())


def _colours(subject: Subject) -> NDArray[np.float32]:
    appearance = subject.appearance
    colours = np.zeros((materials.NUM_MATERIALS, 3), np.float32)
    colours[materials.SKIN] = appearance.skin
    colours[materials.EYE] = np.array(appearance.iris) * 1.25
    colours[materials.HAIR] = appearance.hair
    colours[materials.FABRIC] = appearance.fabric
    colours[materials.FRAME] = appearance.frame
    colours[materials.CLOTH] = appearance.cloth
    return np.square(colours)


@cache
def _pores() -> NDArray[np.float32]:
    """Return the relief of pores, (N, N, 4) float32, which all subjects share."""
    height = PORE_DEPTH * Grain(RELIEF_SIZE, np.random.default_rng(0)).draw(1.2)
    gradient = canvas(RELIEF_SIZE).gradient(height)
    # The height itself is omitted: pores do not darken the skin.
    return np.concatenate([gradient, np.zeros_like(height)[..., None]], -1)


_STRAIGHT, _STUDIO, _PORTRAIT = Pose(), Light(), Framing()


@cache
def _renderer(size: int) -> Renderer:
    return Renderer(size)


def render(
    subject: Subject,
    au_intensities: Mapping[int, Intensity],
    *,
    pose: Pose = _STRAIGHT,
    light: Light = _STUDIO,
    framing: Framing = _PORTRAIT,
    size: int = 256,
) -> NDArray[np.uint8]:
    """Render a subject.

    Args:
        subject: The subject, such as `Subject.sample(7)`.
        au_intensities: Intensity from 0 to 5, by AU, or a pair (left, right) for a sided AU.
        pose: Head pose and gaze.
        light: The light.
        framing: Position of the camera, and the crop; `Framing(aligned=True)` aligns the face as networks expect it.
        size: Side length of the picture in pixels.

    Returns:
        (size, size, 3) uint8, RGB.

    Raises:
        ConfigError: An AU is unknown or an intensity out of range.

    Warns:
        UserWarning: An AU was added or raised, such as AU 25 with AU 26.
    """
    expression = Expression.of(au_intensities)
    for note in expression.notes:
        warnings.warn(note, stacklevel=2)
    return _renderer(size).draw(subject, Scene(expression, pose, light, framing)).image
