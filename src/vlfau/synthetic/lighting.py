"""Light on a place: shadows, two lights, sky and ground."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.jit import compiled, inlined
from vlfau.synthetic.looks import Look

__all__ = ["Lighting", "light_up"]

SHADOW_BIAS = 0.008
"""How much nearer to the light, as a share of the map's depth, something must be to cast a shadow."""
SHADOW_LIFT = 0.03
"""How far above the surface shadows are looked up, in decimetres, so that a slope casts none on itself."""
MOST_SHINE = 12.0

Triple = tuple[float, float, float]


class Lighting(NamedTuple):
    """Camera and light, as the compiled functions take them.

    Attributes:
        camera: (3,), where the camera is.
        directions: (2, 3), towards key and fill.
        colours: (4, 3), linear colours of key, fill, sky and ground.
        shadow_matrix: (3, 4), from a place to the shadow map.
        shadow_depths: (K, K), the shadow map.
        exposure: Factor on all light.
    """

    camera: NDArray[np.float64]
    directions: NDArray[np.float32]
    colours: NDArray[np.float32]
    shadow_matrix: NDArray[np.float32]
    shadow_depths: NDArray[np.float32]
    exposure: float


@inlined
def _lit_share(place: Triple, normal: Triple, lighting: Lighting) -> float:
    """Return how much of the key light reaches a place."""
    matrix, depths = lighting.shadow_matrix, lighting.shadow_depths
    size = depths.shape[0]
    x, y, z = place[0] + SHADOW_LIFT * normal[0], place[1] + SHADOW_LIFT * normal[1], place[2] + SHADOW_LIFT * normal[2]
    right = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]) * 0.5 + 0.5
    up = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]) * 0.5 + 0.5
    depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3] - SHADOW_BIAS
    lit = 0
    for tap in range(4):
        column = int((right + (0.003 if tap & 1 else -0.003)) * size)
        row = int((1 - up + (0.003 if tap & 2 else -0.003)) * size)
        if column < 0 or row < 0 or column >= size or row >= size or depths[row, column] >= depth:
            lit += 1
    return 0.25 * lit


@compiled
def _wrapped(cosine: float, wrap: float, lit: float, leak: float) -> float:
    """Return diffuse light that wraps around an edge, and leaks a little into shadow, as in flesh."""
    return min(1.0, max(0.0, (cosine + wrap) / (1 + wrap))) * max(lit, leak)


@compiled
def _shine(look: Look, normal: Triple, view: Triple, light: Triple) -> float:
    """Return the strength of a highlight (the GGX distribution of Walter et al. 2007 with Schlick's Fresnel term)."""
    hx, hy, hz = light[0] + view[0], light[1] + view[1], light[2] + view[2]
    scale = 1 / (np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9)
    half = max(0.0, (normal[0] * hx + normal[1] * hy + normal[2] * hz) * scale)
    width = look[4] ** 4
    spread = half * half * (width - 1) + 1
    grazing = 1 - max(0.0, (view[0] * hx + view[1] * hy + view[2] * hz) * scale)
    fresnel = 0.035 + 0.965 * grazing**5
    return float(0.35 * look[3] * min(MOST_SHINE, width / (np.pi * spread * spread)) * fresnel)


@inlined
def light_up(look: Look, place: Triple, normal: Triple, casts: bool, lighting: Lighting) -> Triple:
    """Return the linear colour that a place sends to the camera.

    Args:
        look: What it is made of, see `vlfau.synthetic.looks`.
        place: Where it is, in decimetres.
        normal: Its normal, of unit length.
        casts: Whether the key light can be blocked here.
        lighting: The light.
    """
    red, green, blue, gloss, _, openness, softness = look
    vx, vy, vz = lighting.camera[0] - place[0], lighting.camera[1] - place[1], lighting.camera[2] - place[2]
    scale = 1 / np.sqrt(vx * vx + vy * vy + vz * vz)
    view = (vx * scale, vy * scale, vz * scale)
    lit = _lit_share(place, normal, lighting) if casts else 1.0
    colours = lighting.colours
    out_red, out_green, out_blue = 0.0, 0.0, 0.0
    for number in range(2):
        light = (lighting.directions[number, 0], lighting.directions[number, 1], lighting.directions[number, 2])
        reach = lit if number == 0 else 1.0
        cosine = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
        shine = _shine(look, normal, view, light) * max(cosine, 0.0) * reach if cosine > 0 else 0.0
        out_red += colours[number, 0] * (red * _wrapped(cosine, 0.32 * softness, reach, 0.10 * softness) + shine)
        out_green += colours[number, 1] * (green * _wrapped(cosine, 0.12 * softness, reach, 0.03 * softness) + shine)
        out_blue += colours[number, 2] * (blue * _wrapped(cosine, 0.08 * softness, reach, 0.02 * softness) + shine)
    upwards = 0.5 + 0.5 * normal[1]
    rim = 0.10 * gloss * (1 - max(0.0, normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2])) ** 4
    out_red += (colours[3, 0] * (1 - upwards) + colours[2, 0] * upwards) * (red * openness + rim)
    out_green += (colours[3, 1] * (1 - upwards) + colours[2, 1] * upwards) * (green * openness + rim)
    out_blue += (colours[3, 2] * (1 - upwards) + colours[2, 2] * upwards) * (blue * openness + rim)
    around = (0.45 + 0.55 * openness) * lighting.exposure
    return out_red * around, out_green * around, out_blue * around
