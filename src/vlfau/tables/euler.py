"""Head pose by the convention that OpenFace and Py-Feat share."""

from math import asin, atan2, cos, radians, sin

from vlfau.faces import HeadPose

__all__ = ["turns_xyz"]


def turns_xyz(pose: HeadPose) -> tuple[float, float, float]:
    """Take the rotation of a head apart as R = Rx Ry Rz, where our own angles are R = Ry Rx Rz.

    The axes are those of the picture: x points right, y down, z away from the camera. So a positive turn about x
    looks down, about y to the subject's own right, and about z tilts to the subject's own left shoulder.

    Returns:
        The turns about x, y and z, in radians.

    >>> [round(turn, 3) for turn in turns_xyz(HeadPose(yaw=0, pitch=10, roll=0))]
    [-0.175, 0.0, 0.0]
    """
    x, y, z = radians(-pose.pitch), radians(-pose.yaw), radians(pose.roll)
    return (
        atan2(sin(x), cos(y) * cos(x)),
        asin(sin(y) * cos(x)),
        atan2(cos(y) * sin(z) - sin(y) * sin(x) * cos(z), cos(y) * cos(z) + sin(y) * sin(x) * sin(z)),
    )
