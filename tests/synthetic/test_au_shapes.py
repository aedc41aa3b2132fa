import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.facs import AU_SETS, DEFAULT_AU_IDS, all_au_ids
from vlfau.synthetic.au_shapes import au_shapes, au_wrinkles, read_shapes, read_wrinkles
from vlfau.synthetic.components import CAMERA, KINDS, components, read_components
from vlfau.synthetic.identity import read_identity
from vlfau.synthetic.presets import correlations, joints, preset, read_correlations, read_presets

JOINT = """
[[joint]]
name = "frown"
weight = 1
aus = [{ number = 4, least = 1, most = 2 }]
"""
PRESET = (
    """
levels = [0.2, 0.2, 0.2, 0.2, 0.2]
[mine]
au_set = "disfa"
drawn = "default"
occurs_at = 1
women = 1
men = 1
components = "everyday"
joints = ["wide"]
joint_share = 0.5
joint_missing = 0.0
joint_extra = 0.0
one_sided = 0.0
blinks = 0.0
other = 0.1
rates = [{ number = 12, rate = 0.2 }]
"""
    + JOINT
)
READERS = {
    "shapes": read_shapes,
    "wrinkles": read_wrinkles,
    "presets": read_presets,
    "correlations": read_correlations,
    "components": read_components,
    "identity": read_identity,
}


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("shapes", "not toml", "not a readable TOML"),
        ("shapes", "[[au]]\nnumber = 3", "au 1 'number': expected the number of an AU of the catalogue, found 3"),
        ("shapes", '[[au]]\nnumber = 12\nboth = { "unit/mouthSmileLeft" = 1 }', "no such key; known are number, left"),
        ("shapes", '[[au]]\nnumber = 17\nboth = { "unit/none" = 1 }', "names of head shapes, not 'unit/none'"),
        ("shapes", '[[au]]\nnumber = 17\nboth = { "unit/mouthShrugLower" = 9 }', "a number from -3 to 3, found 9"),
        ("shapes", '[[au]]\nnumber = 17\nboth = { "unit/mouthShrugLower" = 1 }', "AU 1 is missing"),
        ("wrinkles", '[[wrinkle]]\nname = "x"\nage = 0\naus = [{ number = 1, depth = -1 }]', "depth"),
        ("correlations", "pairs = [{ aus = [1], value = 0.5 }]", "expected two AUs"),
        ("correlations", "pairs = [{ aus = [1, 2], value = 2 }]", "a number from -1 to 1"),
        (
            "shapes",
            '[[au]]\nnumber = 27\nat_trace = 2\nboth = { "unit/jawOpen" = 1 }',
            "'at_trace': expected a number from 0 to 1",
        ),
        ("presets", PRESET.replace('"default"', '"some"'), "expected one of default, all, found 'some'"),
        (
            "presets",
            PRESET.replace("disfa", "all"),
            "'au_set': expected a subset of the AUs that are drawn, found 'all'",
        ),
        ("presets", PRESET.replace('["wide"]', '["tall"]'), "'joints': expected a list with items of wide, found"),
        ("presets", PRESET.replace("number = 4", "number = 27"), "expected joint expressions whose AUs are drawn"),
        (
            "presets",
            "levels = [1.0]\n[[joint]]\nname = 'x'\nweight = 1\naus = [{number = 1, least = 1, most = 2}]",
            "five",
        ),
        ("components", "[laboratory]\nfrogs = 1", "no such key"),
        ("identity", "most = 2\nleft_out = []\n[sigmas]\nnose = 0.1", "a number from 0 to 1"),
        ("identity", "most = 0.5\nleft_out = []\n[sigmas]\nelbow = 0.1", "no region 'elbow'"),
    ],
)
def test_a_broken_table_is_refused_with_its_place(tmp_path, table, text, message):
    path = tmp_path / f"{table}.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        READERS[table](path)


def test_every_au_of_the_catalogue_has_shapes():
    assert {au_id for au_id, _ in au_shapes()} == set(all_au_ids())


def test_every_wrinkle_of_the_table_is_drawn():
    from vlfau.synthetic.wrinkles import folds

    assert {name for name, _ in folds(0)} == {wrinkle.name for wrinkle in au_wrinkles()}


def test_a_preset_is_read_as_it_is_written(tmp_path):
    path = tmp_path / "presets.toml"
    path.write_text(PRESET, encoding="utf-8")
    mine = read_presets(path).presets["mine"]
    assert (mine.au_ids, mine.drawn_ids) == (AU_SETS["disfa"], DEFAULT_AU_IDS)
    assert mine.rates == {au_id: 0.2 if au_id == 12 else 0.1 for au_id in DEFAULT_AU_IDS}


def test_presets_for_the_default_model_draw_its_aus_and_all_aus_draws_the_catalogue():
    for name in ("bp4d-like", "disfa-like", "wide", "loose", "wild"):
        assert preset(name).drawn_ids == DEFAULT_AU_IDS
    assert preset("wide").au_ids == preset("loose").au_ids == preset("wild").au_ids == DEFAULT_AU_IDS
    assert preset("all-aus").au_ids == preset("all-aus").drawn_ids == all_au_ids()


def test_correlations_of_some_aus_know_nothing_of_the_others():
    some = correlations(DEFAULT_AU_IDS)
    assert some.matrix.shape == (18, 18)
    assert some.exclusive == ((5, 43), (24, 25), (24, 26))
    assert correlations().matrix.shape == (24, 24)


@pytest.mark.parametrize("au_ids", [None, DEFAULT_AU_IDS])
def test_the_correlations_are_a_possible_matrix(au_ids):
    matrix = correlations(au_ids).matrix
    assert matrix.diagonal() == pytest.approx(1)
    assert np.allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_wide_plays_the_joint_expressions_of_real_life():
    played = {joint.name: set(joint.ranges) for joint in joints("wide")}
    assert played["surprise"] >= {1, 2, 5, 25, 26}
    assert played["fear"] >= {1, 2, 4, 5, 20}
    assert played["nose wrinkle with lowered brows"] == {4, 9}
    assert {4, 24} <= played["anger, pressed lips"]
    assert [joint.name for joint in joints("wide") if joint.one_sided and 14 in joint.ranges]


def test_every_preset_names_a_set_of_components():
    for name in ("bp4d-like", "disfa-like", "wide", "loose", "wild", "all-aus"):
        chances = components(preset(name).components)
        assert set(chances.kinds) == set(KINDS)
        assert set(chances.camera) == set(CAMERA)


def test_an_unknown_preset_is_refused():
    with pytest.raises(
        ConfigError, match="there is no preset 'bp5d'; choose among bp4d-like, disfa-like, wide, loose, wild, all-aus"
    ):
        preset("bp5d")


def test_wild_plays_what_wide_does_not():
    played = {(frozenset(joint.ranges), joint.one_sided) for joint in joints("wide")}
    held_out = {(frozenset(joint.ranges), joint.one_sided) for joint in joints("wild")}
    assert held_out
    assert not held_out & played
    wild, everyday = components("wild"), components("everyday")
    for component in ("hair_women", "light", "background", "occluder"):
        assert {kind for kind, weight in wild.kinds[component].items() if weight} - set(everyday.kinds[component])
    assert everyday.camera["thumbnail"] == 0
