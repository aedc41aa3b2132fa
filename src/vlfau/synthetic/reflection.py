"""Reflected light at a point of the surface: shadows, two lights, sky and ground."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.jit import compiled, inlined
from vlfau.synthetic.materials import Look

__all__ = ["Lighting", "reflected_light"]

SHADOW_BIAS = 0.008
"""Depth bias of the shadow map, as a share of its depth."""
SHADOW_LIFT = 0.03
"""Offset along the normal for shadow look-ups, in decimetres, so that a slope casts no shadow on itself."""
MAX_SHINE = 12.0

Triple = tuple[float, float, float]
Quadruple = tuple[float, float, float, float]


class Lighting(NamedTuple):
    """Camera and light as plain numbers, for the compiled functions.

    Attributes:
        camera: Position of the camera.
        directions: Unit vectors towards the key and fill light.
        colours: Linear colours of key, fill, sky and ground.
        shadow_matrix: (3, 4) matrix from a position to the shadow map.
        exposure: Factor applied to all light.
    """

    camera: Triple
    directions: tuple[Triple, Triple]
    colours: tuple[Triple, Triple, Triple, Triple]
    shadow_matrix: tuple[Quadruple, Quadruple, Quadruple]
    exposure: float


@inlined
def _lit_share(position: Triple, normal: Triple, shadows: NDArray[np.float32], lighting: Lighting) -> float:
    """Return the share of the key light that reaches a position."""
    across, upwards, inwards = lighting.shadow_matrix
    size = shadows.shape[0]
    x, y, z = (
        position[0] + SHADOW_LIFT * normal[0],
        position[1] + SHADOW_LIFT * normal[1],
        position[2] + SHADOW_LIFT * normal[2],
    )
    right = (across[0] * x + across[1] * y + across[2] * z + across[3]) * 0.5 + 0.5
    up = (upwards[0] * x + upwards[1] * y + upwards[2] * z + upwards[3]) * 0.5 + 0.5
    depth = inwards[0] * x + inwards[1] * y + inwards[2] * z + inwards[3] - SHADOW_BIAS
    lit = 0
    for tap in range(4):
        column = int((right + (0.003 if tap & 1 else -0.003)) * size)
        row = int((1 - up + (0.003 if tap & 2 else -0.003)) * size)
        if column < 0 or row < 0 or column >= size or row >= size or shadows[row, column] >= depth:
            lit += 1
    return 0.25 * lit


@compiled
def _wrapped(cosine: float, wrap: float, lit: float, leak: float) -> float:
    """Return diffuse light that wraps around edges and leaks slightly into shadows, as in skin."""
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
    return float(0.35 * look[3] * min(MAX_SHINE, width / (np.pi * spread * spread)) * fresnel)


@compiled
def _lamp(look: Look, normal: Triple, view: Triple, light: Triple, colour: Triple, lit: float) -> Triple:
    """Return the light of one lamp that a position reflects to the camera."""
    red, green, blue, softness = look[0], look[1], look[2], look[6]
    cosine = normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2]
    shine = _shine(look, normal, view, light) * cosine * lit if cosine > 0 and lit > 0 else 0.0
    return (
        colour[0] * (red * _wrapped(cosine, 0.32 * softness, lit, 0.10 * softness) + shine),
        colour[1] * (green * _wrapped(cosine, 0.12 * softness, lit, 0.03 * softness) + shine),
        colour[2] * (blue * _wrapped(cosine, 0.08 * softness, lit, 0.02 * softness) + shine),
    )


@inlined
def reflected_light(
    look: Look, position: Triple, normal: Triple, casts: bool, shadows: NDArray[np.float32], lighting: Lighting
) -> Triple:
    """Return the linear colour that a position reflects to the camera.

    Args:
        look: Reflectance of the material, see `vlfau.synthetic.materials`.
        position: Position in decimetres.
        normal: Unit normal.
        casts: Whether the key light can be blocked here.
        shadows: (K, K) shadow map.
        lighting: Camera and lights.
    """
    red, green, blue, gloss, _, openness, _ = look
    camera = lighting.camera
    vx, vy, vz = camera[0] - position[0], camera[1] - position[1], camera[2] - position[2]
    scale = 1 / np.sqrt(vx * vx + vy * vy + vz * vz)
    view = (vx * scale, vy * scale, vz * scale)
    lit = _lit_share(position, normal, shadows, lighting) if casts else 1.0
    key_colour, fill_colour, sky, ground = lighting.colours
    key = _lamp(look, normal, view, lighting.directions[0], key_colour, lit)
    fill = _lamp(look, normal, view, lighting.directions[1], fill_colour, 1.0)
    upwards = 0.5 + 0.5 * normal[1]
    rim = 0.10 * gloss * (1 - max(0.0, normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2])) ** 4
    around = (0.45 + 0.55 * openness) * lighting.exposure
    return (
        around * (key[0] + fill[0] + (ground[0] * (1 - upwards) + sky[0] * upwards) * (red * openness + rim)),
        around * (key[1] + fill[1] + (ground[1] * (1 - upwards) + sky[1] * upwards) * (green * openness + rim)),
        around * (key[2] + fill[2] + (ground[2] * (1 - upwards) + sky[2] * upwards) * (blue * openness + rim)),
    )
