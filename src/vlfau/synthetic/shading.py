"""From visible triangles to colours."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.jit import compiled, inlined
from vlfau.synthetic.lighting import Lighting, light_up
from vlfau.synthetic.looks import Look, eye_look, fabric_look, hair_look, step, teeth_look, tongue_look
from vlfau.synthetic.materials import CLOTH, EYE, FABRIC, FRAME, HAIR, SKIN, TEETH, TONGUE

__all__ = ["Mesh", "Person", "shade"]

FURROW_SHADE = 30.0
"""How fast a furrow darkens with its depth, a decimetre."""
NECKLINE, COLLAR_DEPTH = 5.72, 0.32
SKIN_ROUGHNESS = 0.42

Triple = tuple[float, float, float]


class Mesh(NamedTuple):
    """A posed surface, as the compiled functions take it.

    Attributes:
        screen: (P, 3), x, y and inverse distance of points.
        triangles: (T, 3), points.
        corners: (T, 3), rows of `uv`.
        materials: (T,), numbers of `vlfau.synthetic.materials`.
        points: (P, 3), in decimetres.
        normals: (P, 3).
        openness: (P, 1), see `vlfau.synthetic.geometry.openness`.
        places: (P, 3), the points on the mean head.
        uv: (W, 2), places in the texture as shares of the canvas.
    """

    screen: NDArray[np.float32]
    triangles: NDArray[np.int32]
    corners: NDArray[np.int32]
    materials: NDArray[np.uint8]
    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    openness: NDArray[np.float32]
    places: NDArray[np.float32]
    uv: NDArray[np.float32]


class Person(NamedTuple):
    """A person's looks, as the compiled functions take them.

    Attributes:
        texture: (N, N, 4), linear colour and gloss of the skin.
        relief: (M, M, 4), gradient and height of its folds, on the mean head.
        colours: (materials, 3), linear.
        eyes: (2, 3), the middles of the eyes on the mean head, left first.
        turned: (3, 3), the head's rotation.
        gloss: Of the skin.
        collar: How deep the collar is cut, 0 to 1.
        darkness: Of the skin, 0 to 1.
        teeth: How bright they are, 0 to 1.
    """

    texture: NDArray[np.float32]
    relief: NDArray[np.float32]
    colours: NDArray[np.float32]
    eyes: NDArray[np.float32]
    turned: NDArray[np.float64]
    gloss: float
    collar: float
    darkness: float
    teeth: float


@compiled
def _read4(texture: NDArray[np.float32], u: float, v: float) -> tuple[float, float, float, float]:
    """Read the four layers of a square texture (N, N, 4) between its texels."""
    size = texture.shape[0]
    x = min(max(u * size - 0.5, 0.0), size - 1.001)
    y = min(max(v * size - 0.5, 0.0), size - 1.001)
    column, row = int(x), int(y)
    right, down = x - column, y - row
    # Plain indices: a view of a row would cost more than the reading itself.
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
def _shares(screen: NDArray[np.float32], corners: tuple[int, int, int], x: float, y: float) -> Triple:
    """Return the shares of a triangle's corners at a pixel, in perspective."""
    a, b, c = corners
    ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
    of_a = ((bx - x) * (cy - y) - (cx - x) * (by - y)) * screen[a, 2]
    of_b = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) * screen[b, 2]
    of_c = ((ax - x) * (by - y) - (bx - x) * (ay - y)) * screen[c, 2]
    total = of_a + of_b + of_c
    return of_a / total, of_b / total, of_c / total


@compiled
def _mix(values: NDArray[np.float32], corners: tuple[int, int, int], shares: Triple) -> Triple:
    """Return the first three of the corners' values (P, 3 or more), mixed."""
    a, b, c = corners
    of_a, of_b, of_c = shares
    return (
        of_a * values[a, 0] + of_b * values[b, 0] + of_c * values[c, 0],
        of_a * values[a, 1] + of_b * values[b, 1] + of_c * values[c, 1],
        of_a * values[a, 2] + of_b * values[b, 2] + of_c * values[c, 2],
    )


@compiled
def _folded(normal: Triple, fold: tuple[float, float, float, float], turned: NDArray[np.float64]) -> Triple:
    """Bend a normal by the gradient of a fold, which is known on the mean head and turns with the head."""
    wx = turned[0, 0] * fold[0] + turned[0, 1] * fold[1] + turned[0, 2] * fold[2]
    wy = turned[1, 0] * fold[0] + turned[1, 1] * fold[1] + turned[1, 2] * fold[2]
    wz = turned[2, 0] * fold[0] + turned[2, 1] * fold[1] + turned[2, 2] * fold[2]
    off = wx * normal[0] + wy * normal[1] + wz * normal[2]
    return (
        normal[0] - wx + off * normal[0],
        normal[1] - wy + off * normal[1],
        normal[2] - wz + off * normal[2],
    )


@inlined
def _colour(person: Person, material: int) -> Triple:
    """Return the linear colour of a material."""
    return person.colours[material, 0], person.colours[material, 1], person.colours[material, 2]


@inlined
def _face_look(
    skin: tuple[float, float, float, float], height: float, place: Triple, opening: float, person: Person
) -> Look:
    """Return the look of the face's skin, darker in furrows and eye sockets."""
    furrow = min(1.12, max(0.4, 1 + FURROW_SHADE * (1 + 0.4 * person.darkness) * height))
    beside_nose, beside_eyes = (abs(place[0]) - 0.15) * 20, (place[1] - 7.36) * 14
    socket = 1 - 0.28 * max(0.0, 1 - 0.4 * (beside_nose * beside_nose + beside_eyes * beside_eyes))
    gloss = person.gloss * skin[3]
    return skin[0], skin[1], skin[2], gloss, SKIN_ROUGHNESS, opening * furrow * socket, 1.0


@inlined
def _body_look(v: float, place: Triple, opening: float, person: Person) -> Look:
    """Return the look of the skin's other parts: the mouth's inside, the neck, and the clothes over it."""
    x, y, z = place
    if v < 0:
        shade_of_depth = step(0.95, 1.45, z)
        return 0.28 * shade_of_depth, 0.08 * shade_of_depth, 0.07 * shade_of_depth, 0.15, SKIN_ROUGHNESS, 0.9, 1.0
    if y < 6.9 and z < 1.2:
        dip = COLLAR_DEPTH * person.collar * np.exp(-9.2 * x * x) if z > 0.2 else 0.0
        if y < NECKLINE - dip + 0.03 * z:
            return fabric_look(x, y, _colour(person, CLOTH))
        red, green, blue = _colour(person, SKIN)
        return red, green, blue, person.gloss, SKIN_ROUGHNESS, opening, 1.0
    return 0.35, 0.16, 0.13, 0.3, SKIN_ROUGHNESS, opening, 1.0


@inlined
def _thing_look(material: int, place: Triple, person: Person) -> Look:
    """Return the look of everything but skin."""
    x, y, z = place
    look = (0.01, 0.01, 0.012, 1.6, 0.12, 1.0, 0.0)
    if material == EYE:
        eyes, number = person.eyes, 0 if x > 0 else 1
        look = eye_look(x - eyes[number, 0], y - eyes[number, 1], z - eyes[number, 2], _colour(person, EYE))
    elif material == TEETH:
        look = teeth_look(x, y, z, person.teeth)
    elif material == TONGUE:
        look = tongue_look(z)
    elif material == HAIR:
        look = hair_look(x, y, z, _colour(person, HAIR))
    elif material == FABRIC:
        look = fabric_look(x, y, _colour(person, FABRIC))
    elif material == FRAME:
        red, green, blue = _colour(person, FRAME)
        look = (red, green, blue, 0.8, 0.25, 1.0, 0.0)
    return look


@inlined
def _colour_at(number: int, pixel: tuple[float, float], mesh: Mesh, person: Person, lighting: Lighting) -> Triple:
    """Return the linear colour of a triangle at a pixel."""
    corners = (mesh.triangles[number, 0], mesh.triangles[number, 1], mesh.triangles[number, 2])
    shares = _shares(mesh.screen, corners, pixel[0], pixel[1])
    normal = _mix(mesh.normals, corners, shares)
    place = _mix(mesh.points, corners, shares)
    mean_place = _mix(mesh.places, corners, shares)
    material = mesh.materials[number]
    if material == SKIN:
        i, j, k = mesh.corners[number, 0], mesh.corners[number, 1], mesh.corners[number, 2]
        u = shares[0] * mesh.uv[i, 0] + shares[1] * mesh.uv[j, 0] + shares[2] * mesh.uv[k, 0]
        v = shares[0] * mesh.uv[i, 1] + shares[1] * mesh.uv[j, 1] + shares[2] * mesh.uv[k, 1]
        openness = mesh.openness
        opening = shares[0] * openness[corners[0], 0] + shares[1] * openness[corners[1], 0]
        opening += shares[2] * openness[corners[2], 0]
        if u >= 0 and v >= 0:
            fold = _read4(person.relief, u, v)
            normal = _folded(normal, fold, person.turned)
            look = _face_look(_read4(person.texture, u, v), fold[3], mean_place, opening, person)
        else:
            look = _body_look(v, mean_place, opening, person)
    else:
        look = _thing_look(material, mean_place, person)
        # Thin things have two sides, and show the one that faces the camera.
        towards = normal[0] * (lighting.camera[0] - place[0]) + normal[1] * (lighting.camera[1] - place[1])
        towards += normal[2] * (lighting.camera[2] - place[2])
        if towards < 0:
            normal = (-normal[0], -normal[1], -normal[2])
    scale = 1 / (np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2) + 1e-9)
    unit = (normal[0] * scale, normal[1] * scale, normal[2] * scale)
    return light_up(look, place, unit, material < HAIR, lighting)


@compiled
def _paint(picture: NDArray[np.float32], row: int, column: int, colour: Triple) -> None:
    """Turn a linear colour into sRGB from 0 to 255, softly limited."""
    bright = 1.12 / (1 + 0.30 * max(colour))
    for layer in range(3):
        picture[row, column, layer] = 255 * np.sqrt(min(1.0, max(0.0, colour[layer] * bright)))


@compiled
def shade(
    shown: NDArray[np.int32], mesh: Mesh, person: Person, lighting: Lighting, picture: NDArray[np.float32]
) -> None:
    """Colour a picture (S, S, 3), sRGB from 0 to 255, where a triangle is shown.

    Args:
        shown: (S, S), the triangle that a pixel shows, -1 for none.
        mesh: The triangles.
        person: Whose they are.
        lighting: The light on them.
        picture: Changed in place.
    """
    for row in range(shown.shape[0]):
        for left in range(0, shown.shape[1], 2):
            # Two samples of one material lie so close together that one of them, in turn, speaks for both.
            first = min(left + (row & 1), shown.shape[1] - 1)
            second = min(2 * left + 1 - first, shown.shape[1] - 1)
            number, other = shown[row, first], shown[row, second]
            if number >= 0:
                _paint(picture, row, first, _colour_at(number, (first + 0.5, row + 0.5), mesh, person, lighting))
            if other < 0:
                continue
            if number >= 0 and mesh.materials[number] == mesh.materials[other]:
                for layer in range(3):
                    picture[row, second, layer] = picture[row, first, layer]
            else:
                _paint(picture, row, second, _colour_at(other, (second + 0.5, row + 0.5), mesh, person, lighting))
