"""Synthetic faces whose action units are known exactly (extra `synthetic`)."""

from vlfau.synthetic.dataset import generate
from vlfau.synthetic.expression import Expression
from vlfau.synthetic.framing import Framing
from vlfau.synthetic.geometry import Pose
from vlfau.synthetic.light import Light
from vlfau.synthetic.renderer import Drawing, Renderer, Scene, render
from vlfau.synthetic.settings import DatasetSettings
from vlfau.synthetic.subject import Subject

__all__ = [
    "DatasetSettings",
    "Drawing",
    "Expression",
    "Framing",
    "Light",
    "Pose",
    "Renderer",
    "Scene",
    "Subject",
    "generate",
    "render",
]
