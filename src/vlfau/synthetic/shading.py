"""Shading: from visible triangles to colours."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.jit import compiled, inlined
from vlfau.synthetic.materials import (
    BODY,
    CLOTH,
    EYE,
    FABRIC,
    FRAME,
    HAIR,
    SKIN,
    TEETH,
    TONGUE,
    Look,
    eye_look,
    fabric_look,
    hair_look,
    step,
    teeth_look,
    tongue_look,
)
from vlfau.synthetic.reflection import Lighting, reflected_light

__all__ = ["Mesh", "Person", "Skin", "shade"]

FURROW_SHADE = 30.0
"""Darkening of a furrow per decimetre of depth."""
NECKLINE, COLLAR_DEPTH = 5.72, 0.32
SKIN_ROUGHNESS = 0.42

SCREEN, POINT, NORMAL, MEAN_POSITION, OPENNESS, WIDTH = 0, 3, 6, 9, 12, 13
"""First columns of the parts of `Mesh.vertices`, and the number of columns."""

Triple = tuple[float, float, float]


class Mesh(NamedTuple):
    """A posed surface.

    Attributes:
        triangles: (T, 3) indices of points.
        corners: (T, 3) indices of rows of `uv`.
        materials: (T,) numbers of `vlfau.synthetic.materials`.
        vertices: (P, 13) for every point: x, y and inverse distance on the screen; position in decimetres; normal;
            position on the mean head; openness (see `vlfau.synthetic.geometry.openness`).
        uv: (W, 2) texture coordinates on the canvas.
    """

    triangles: NDArray[np.int32]
    corners: NDArray[np.int32]
    materials: NDArray[np.uint8]
    vertices: NDArray[np.float32]
    uv: NDArray[np.float32]


class Skin(NamedTuple):
    """A face's textures.

    Attributes:
        texture: (N, N, 4) linear colour and gloss.
        relief: (M, M, 4) gradient and height of the folds, on the mean head.
    """

    texture: NDArray[np.float32]
    relief: NDArray[np.float32]


class Person(NamedTuple):
    """A subject's appearance as plain numbers.

    Attributes:
        colours: Linear colours, by material.
        eyes: Centres of the eyes on the mean head, left first.
        turned: Rows of the head's rotation matrix.
        gloss: Gloss of the skin.
        collar: Depth of the collar, 0 to 1.
        darkness: Darkness of the skin, 0 to 1.
        teeth: Brightness of the teeth, 0 to 1.
    """

    colours: tuple[Triple, ...]
    eyes: tuple[Triple, Triple]
    turned: tuple[Triple, Triple, Triple]
    gloss: float
    collar: float
    darkness: float
    teeth: float


@compiled
def _read4(texture: NDArray[np.float32], u: float, v: float) -> tuple[float, float, float, float]:
    """Sample the four channels of a square texture (N, N, 4) bilinearly."""
    size = texture.shape[0]
    x = min(max(u * size - 0.5, 0.0), size - 1.001)
    y = min(max(v * size - 0.5, 0.0), size - 1.001)
    column, row = int(x), int(y)
    right, down = x - column, y - row
    # Plain indices: creating a view of a row would cost more than reading the values.
    ul, ur, ll, lr = (1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down
    after, below = column + 1, row + 1
    return (
        ul * texture[row, column, 0]
        + ur * texture[row, after, 0]
        + ll * texture[below, column, 0]
        + lr * texture[below, after, 0],
        ul * texture[row, column, 1]
        + ur * texture[row, after, 1]
        + ll * texture[below, column, 1]
        + lr * texture[below, after, 1],
        ul * texture[row, column, 2]
        + ur * texture[row, after, 2]
        + ll * texture[below, column, 2]
        + lr * texture[below, after, 2],
        ul * texture[row, column, 3]
        + ur * texture[row, after, 3]
        + ll * texture[below, column, 3]
        + lr * texture[below, after, 3],
    )


@compiled
def _shares(vertices: NDArray[np.float32], a: int, b: int, c: int, x: float, y: float) -> Triple:
    """Return the perspective-correct barycentric coordinates of a pixel in a triangle."""
    ax, ay, bx, by, cx, cy = (
        vertices[a, 0],
        vertices[a, 1],
        vertices[b, 0],
        vertices[b, 1],
        vertices[c, 0],
        vertices[c, 1],
    )
    of_a = ((bx - x) * (cy - y) - (cx - x) * (by - y)) * vertices[a, 2]
    of_b = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) * vertices[b, 2]
    of_c = ((ax - x) * (by - y) - (bx - x) * (ay - y)) * vertices[c, 2]
    scale = 1 / (of_a + of_b + of_c)
    return of_a * scale, of_b * scale, of_c * scale


@compiled
def _mix(vertices: NDArray[np.float32], first: int, a: int, b: int, c: int, shares: Triple) -> Triple:
    """Interpolate three columns of the corners' values."""
    of_a, of_b, of_c = shares
    return (
        of_a * vertices[a, first] + of_b * vertices[b, first] + of_c * vertices[c, first],
        of_a * vertices[a, first + 1] + of_b * vertices[b, first + 1] + of_c * vertices[c, first + 1],
        of_a * vertices[a, first + 2] + of_b * vertices[b, first + 2] + of_c * vertices[c, first + 2],
    )


@compiled
def _folded(normal: Triple, fold: tuple[float, float, float, float], turned: tuple[Triple, Triple, Triple]) -> Triple:
    """Bend a normal by the gradient of a fold, which is defined on the mean head and rotates with the head."""
    across, up, forwards = turned
    wx = across[0] * fold[0] + across[1] * fold[1] + across[2] * fold[2]
    wy = up[0] * fold[0] + up[1] * fold[1] + up[2] * fold[2]
    wz = forwards[0] * fold[0] + forwards[1] * fold[1] + forwards[2] * fold[2]
    off = wx * normal[0] + wy * normal[1] + wz * normal[2]
    return (
        normal[0] - wx + off * normal[0],
        normal[1] - wy + off * normal[1],
        normal[2] - wz + off * normal[2],
    )


@inlined
def _face_look(
    skin: tuple[float, float, float, float], height: float, position: Triple, opening: float, person: Person
) -> Look:
    """Return the look of the face's skin, darker in furrows and eye sockets."""
    furrow = min(1.12, max(0.4, 1 + FURROW_SHADE * (1 + 0.4 * person.darkness) * height))
    beside_nose, beside_eyes = (abs(position[0]) - 0.15) * 20, (position[1] - 7.36) * 14
    socket = 1 - 0.28 * max(0.0, 1 - 0.4 * (beside_nose * beside_nose + beside_eyes * beside_eyes))
    gloss = person.gloss * skin[3]
    return skin[0], skin[1], skin[2], gloss, SKIN_ROUGHNESS, opening * furrow * socket, 1.0


@inlined
def _body_look(v: float, position: Triple, opening: float, person: Person) -> Look:
    """Return the look of the other skin: the inside of the mouth, the neck, and the clothes over it."""
    x, y, z = position
    if v < 0:
        shade_of_depth = step(0.95, 1.45, z)
        return 0.28 * shade_of_depth, 0.08 * shade_of_depth, 0.07 * shade_of_depth, 0.15, SKIN_ROUGHNESS, 0.9, 1.0
    if y < 6.9 and z < 1.2:
        dip = COLLAR_DEPTH * person.collar * np.exp(-9.2 * x * x) if z > 0.2 else 0.0
        if y < NECKLINE - dip + 0.03 * z:
            return fabric_look(x, y, person.colours[CLOTH])
        red, green, blue = person.colours[SKIN]
        return red, green, blue, person.gloss, SKIN_ROUGHNESS, opening, 1.0
    return 0.35, 0.16, 0.13, 0.3, SKIN_ROUGHNESS, opening, 1.0


@inlined
def _other_look(material: int, position: Triple, person: Person) -> Look:
    """Return the look of all materials except skin."""
    x, y, z = position
    look = (0.01, 0.01, 0.012, 1.6, 0.12, 1.0, 0.0)
    if material == EYE:
        middle = person.eyes[0] if x > 0 else person.eyes[1]
        look = eye_look(x - middle[0], y - middle[1], z - middle[2], person.colours[EYE])
    elif material == TEETH:
        look = teeth_look(x, y, z, person.teeth)
    elif material == TONGUE:
        look = tongue_look(z)
    elif material == HAIR:
        look = hair_look(x, y, z, person.colours[HAIR])
    elif material == FABRIC:
        look = fabric_look(x, y, person.colours[FABRIC])
    elif material == FRAME:
        red, green, blue = person.colours[FRAME]
        look = (red, green, blue, 0.8, 0.25, 1.0, 0.0)
    return look


@inlined
def _colour_at(
    number: int,
    x: float,
    y: float,
    triangles: NDArray[np.int32],
    corners: NDArray[np.int32],
    materials: NDArray[np.uint8],
    vertices: NDArray[np.float32],
    uv: NDArray[np.float32],
    texture: NDArray[np.float32],
    relief: NDArray[np.float32],
    shadows: NDArray[np.float32],
    person: Person,
    lighting: Lighting,
) -> Triple:
    """Return the linear colour of a triangle at a pixel."""
    a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
    shares = _shares(vertices, a, b, c, x, y)
    position = _mix(vertices, POINT, a, b, c, shares)
    normal = _mix(vertices, NORMAL, a, b, c, shares)
    mean_position = _mix(vertices, MEAN_POSITION, a, b, c, shares)
    material = materials[number]
    if material <= BODY:
        i, j, k = corners[number, 0], corners[number, 1], corners[number, 2]
        u = shares[0] * uv[i, 0] + shares[1] * uv[j, 0] + shares[2] * uv[k, 0]
        v = shares[0] * uv[i, 1] + shares[1] * uv[j, 1] + shares[2] * uv[k, 1]
        opening = shares[0] * vertices[a, OPENNESS] + shares[1] * vertices[b, OPENNESS]
        opening += shares[2] * vertices[c, OPENNESS]
        if u >= 0 and v >= 0:
            fold = _read4(relief, u, v)
            normal = _folded(normal, fold, person.turned)
            look = _face_look(_read4(texture, u, v), fold[3], mean_position, opening, person)
        else:
            look = _body_look(v, mean_position, opening, person)
    else:
        look = _other_look(material, mean_position, person)
        # Thin surfaces are two-sided, and show the side that faces the camera.
        camera = lighting.camera
        towards = normal[0] * (camera[0] - position[0]) + normal[1] * (camera[1] - position[1])
        towards += normal[2] * (camera[2] - position[2])
        if towards < 0:
            normal = (-normal[0], -normal[1], -normal[2])
    scale = 1 / (np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2) + 1e-9)
    unit = (normal[0] * scale, normal[1] * scale, normal[2] * scale)
    return reflected_light(look, position, unit, material < HAIR, shadows, lighting)


@compiled
def _paint(picture: NDArray[np.float32], row: int, column: int, colour: Triple) -> None:
    """Convert a linear colour to sRGB from 0 to 255, with a soft limit."""
    bright = 1.12 / (1 + 0.30 * max(colour))
    for layer in range(3):
        picture[row, column, layer] = 255 * np.sqrt(min(1.0, max(0.0, colour[layer] * bright)))


@compiled
def _copy(picture: NDArray[np.float32], from_row: int, from_column: int, row: int, column: int) -> None:
    """Copy a sample of a picture to another sample."""
    for layer in range(3):
        picture[row, column, layer] = picture[from_row, from_column, layer]


@compiled
def _shade(
    shown: NDArray[np.int32],
    triangles: NDArray[np.int32],
    corners: NDArray[np.int32],
    materials: NDArray[np.uint8],
    vertices: NDArray[np.float32],
    uv: NDArray[np.float32],
    texture: NDArray[np.float32],
    relief: NDArray[np.float32],
    shadows: NDArray[np.float32],
    person: Person,
    lighting: Lighting,
    picture: NDArray[np.float32],
) -> None:
    # Each array is an argument of its own: taking it from a tuple would cost a reference count at every sample.
    for row in range(shown.shape[0]):
        for left in range(0, shown.shape[1], 2):
            # Two neighbouring samples of one material are so similar that only one of them, in turn, is shaded.
            first = min(left + (row & 1), shown.shape[1] - 1)
            second = min(2 * left + 1 - first, shown.shape[1] - 1)
            shaded = -1
            for turn in range(2):
                column = second if turn else first
                number = shown[row, column]
                if number < 0:
                    continue
                if shaded >= 0 and materials[number] == materials[shaded]:
                    _copy(picture, row, first, row, column)
                    shaded = number
                    continue
                if row & 1 and (materials[number] == HAIR or materials[number] == BODY):
                    # Strands are vertical and a neck is smooth, so the sample above looks the same.
                    above = shown[row - 1, column]
                    if above >= 0 and materials[above] == materials[number]:
                        _copy(picture, row - 1, column, row, column)
                        shaded = number
                        continue
                colour = _colour_at(
                    number,
                    column + 0.5,
                    row + 0.5,
                    triangles,
                    corners,
                    materials,
                    vertices,
                    uv,
                    texture,
                    relief,
                    shadows,
                    person,
                    lighting,
                )
                _paint(picture, row, column, colour)
                shaded = number


def shade(
    shown: NDArray[np.int32],
    mesh: Mesh,
    skin: Skin,
    person: Person,
    lighting: Lighting,
    shadows: NDArray[np.float32],
    picture: NDArray[np.float32],
) -> None:
    """Shade a picture (S, S, 3), sRGB from 0 to 255, where a triangle is visible.

    Args:
        shown: (S, S) index of the visible triangle, -1 for none.
        mesh: The triangles.
        skin: The textures of the face.
        person: The appearance of the subject.
        lighting: Camera and lights.
        shadows: (K, K) shadow map.
        picture: The picture, changed in place.
    """
    _shade(shown, *mesh, *skin, shadows, person, lighting, picture)
