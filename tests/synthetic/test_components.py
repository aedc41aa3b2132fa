from types import MappingProxyType

import numpy as np
import pytest

from vlfau.synthetic import Expression, Framing, Renderer, Scene, Subject
from vlfau.synthetic.background import BACKGROUNDS, sample_background
from vlfau.synthetic.camera import EFFECTS, Camera
from vlfau.synthetic.components import CAMERA, KINDS, Components, components
from vlfau.synthetic.light import LIGHTS, sample_light
from vlfau.synthetic.occluders import Occluder


@pytest.fixture(scope="module")
def face():
    subject = Subject.sample(1, gender="F", chances=only())
    return Renderer(96).draw(subject, Scene(Expression.of({}), framing=Framing(aligned=True))).image


def only(**kinds):
    """Return components with the given kinds, and nothing else on the face."""
    base = {name: {names[0]: 1.0} for name, names in KINDS.items()} | {"hair_women": {"short": 1.0}}
    chosen = base | {name: {kind: 1.0} for name, kind in kinds.items()}
    no_camera = dict.fromkeys(CAMERA, 0.0)
    return Components(MappingProxyType(chosen), MappingProxyType(no_camera), 0, 0, 0)


WORN = (
    [("F", {"glasses": kind}) for kind in KINDS["glasses"][1:]]
    + [("M", {"headwear": kind}) for kind in KINDS["headwear"][1:]]
    + [("M", {"beard_men": kind}) for kind in KINDS["beard_men"][1:]]
    + [("F", {"make_up_women": kind}) for kind in KINDS["make_up_women"][1:]]
)


@pytest.mark.parametrize(("gender", "kinds"), WORN)
def test_what_a_person_wears_changes_the_picture(gender, kinds):
    small = Renderer(96)
    scene = Scene(Expression.of({}), framing=Framing(aligned=True))
    plain, worn = (
        small.draw(Subject.sample(4, gender=gender, chances=chances), scene).image.astype(int)
        for chances in (only(), only(**kinds))
    )
    assert (abs(plain - worn).max(2) > 12).mean() > 0.004


@pytest.mark.parametrize("style", KINDS["hair_women"])
def test_every_hair_style_can_be_drawn(style):
    subject = Subject.sample(3, gender="F", chances=only(hair_women=style))
    assert subject.appearance.hair_style == style
    assert Renderer(64).draw(subject, Scene(Expression.of({}))).image.std() > 10


@pytest.mark.parametrize("name", EFFECTS)
def test_every_camera_effect_changes_a_picture(face, name):
    camera = Camera(MappingProxyType({name: 0.7}), 95, 0.3, (1.15, 1.0, 0.85))
    exposed = camera.expose(face, np.random.default_rng(0))
    assert exposed.shape == face.shape
    assert abs(exposed.astype(int) - face).mean() > 0.5
    assert np.array_equal(exposed, camera.expose(face, np.random.default_rng(0)))


def test_a_grey_camera_has_no_colour(face):
    grey = Camera(MappingProxyType({"grey": 0.5}), 95, 0, (1, 1, 1)).expose(face, np.random.default_rng(0))
    assert np.ptp(grey.astype(int), axis=2).max() == 0


def test_the_camera_effects_come_as_often_as_the_table_says():
    chances = components("everyday")
    cameras = [Camera.sample(chances, np.random.default_rng(seed)) for seed in range(1500)]
    for name in EFFECTS:
        share = np.mean([name in camera.strengths for camera in cameras])
        assert share == pytest.approx(chances.camera[name], abs=0.04)


@pytest.mark.parametrize("kind", KINDS["occluder"][1:])
def test_an_occluder_covers_part_of_the_picture(face, kind):
    occluder = Occluder.sample(kind, (0.6, 0.5, 0.4), np.random.default_rng(2))
    hidden, covered = occluder.draw(face, 0.5)
    assert 0.005 < covered < 0.4
    assert (hidden != face).any(2).mean() == pytest.approx(covered, abs=0.05)


def test_every_kind_of_light_and_background_can_be_drawn():
    assert set(LIGHTS) == set(KINDS["light"])
    assert set(BACKGROUNDS) == set(KINDS["background"])
    for kind in LIGHTS:
        assert sample_light(kind, np.random.default_rng(1)).name == kind
    for kind in BACKGROUNDS:
        picture = sample_background(kind, np.random.default_rng(1))
        assert picture.min() >= 0
        assert picture.max() <= 255
