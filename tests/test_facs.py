import pytest

from vlfau.errors import ConfigError
from vlfau.facs import (
    AU_SETS,
    DEFAULT_AU_IDS,
    AUState,
    Side,
    action_unit,
    all_au_ids,
    check_au_ids,
    intensity_letter,
)


def test_the_catalogue_holds_the_common_codes_of_real_data_sets_in_ascending_order():
    assert all_au_ids() == (*(1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28, 43, 45),)


def test_the_default_model_has_eighteen_of_them():
    assert DEFAULT_AU_IDS == (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 43)
    assert set(all_au_ids()) - set(DEFAULT_AU_IDS) == {16, 18, 22, 27, 28, 45}


# Names as in FACS (Ekman, Friesen and Hager, 2002).
@pytest.mark.parametrize(
    ("au_id", "name", "muscle"),
    [
        (1, "Inner Brow Raiser", "frontalis"),
        (6, "Cheek Raiser", "orbicularis oculi"),
        (10, "Upper Lip Raiser", "levator labii superioris"),
        (12, "Lip Corner Puller", "zygomaticus major"),
        (16, "Lower Lip Depressor", "depressor labii inferioris"),
        (17, "Chin Raiser", "mentalis"),
        (18, "Lip Pucker", "incisivii labii superioris"),
        (18, "Lip Pucker", "incisivii labii inferioris"),
        (22, "Lip Funneler", "orbicularis oris"),
        (27, "Mouth Stretch", "pterygoids"),
        (27, "Mouth Stretch", "digastric"),
        (28, "Lip Suck", "orbicularis oris"),
        (43, "Eyes Closed", "levator palpebrae superioris"),
        (45, "Blink", "levator palpebrae superioris"),
        (45, "Blink", "orbicularis oculi, pars palpebralis"),
    ],
)
def test_an_au_has_its_facs_name_and_muscle(au_id, name, muscle):
    unit = action_unit(au_id)
    assert unit.name == name
    assert any(muscle in each for each in unit.muscles)


# The AUs that the field's protocol scores (ME-GraphAU, IJCAI 2022; JAA-Net, IJCV 2021).
def test_the_data_sets_code_their_twelve_and_eight_aus():
    assert AU_SETS["bp4d"] == (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
    assert AU_SETS["disfa"] == (1, 2, 4, 6, 9, 12, 25, 26)
    assert action_unit(12).coded_by == ("bp4d", "disfa")
    assert action_unit(43).coded_by == action_unit(27).coded_by == ()


def test_every_entry_is_complete():
    for au_id in all_au_ids():
        unit = action_unit(au_id)
        assert unit.label == f"AU{au_id}"
        assert unit.name
        assert unit.muscles
        assert unit.region in {"brow", "eye", "cheek", "nose", "mouth", "chin", "jaw"}


def test_unknown_repeated_or_missing_aus_are_refused():
    with pytest.raises(ConfigError, match="AU 3 is not in the catalogue; choose among 1, 2, 4"):
        action_unit(3)
    # Codes of CK+ that the catalogue does not know.
    for au_id in (11, 13, 21, 29, 30, 31, 34, 38, 39, 44, 54, 62, 64):
        with pytest.raises(ConfigError, match=f"AU {au_id} is not in the catalogue; choose among 1, 2, 4"):
            action_unit(au_id)
    with pytest.raises(ConfigError, match="given twice"):
        check_au_ids([1, 2, 1])
    with pytest.raises(ConfigError, match="no AU was given"):
        check_au_ids([])
    assert check_au_ids([12, 1]) == (12, 1)


def test_the_letters_of_intensity_run_from_a_to_e():
    assert "".join(intensity_letter(value) for value in range(1, 6)) == "ABCDE"
    with pytest.raises(ValueError, match="1 to 5, not 0"):
        intensity_letter(0)


def test_a_mirror_swaps_left_and_right():
    assert [side.mirrored() for side in (Side.LEFT, Side.RIGHT, Side.BOTH)] == [Side.RIGHT, Side.LEFT, Side.BOTH]


@pytest.mark.parametrize(
    "wrong",
    [
        {"au_id": 12, "active": False, "intensity": 2},
        {"au_id": 12, "active": False, "side": Side.LEFT},
        {"au_id": 12, "active": True, "intensity": 0},
        {"au_id": 12, "active": True, "intensity": 6},
        {"au_id": 25, "active": True, "side": Side.LEFT},
    ],
)
def test_states_that_can_not_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"AU(12|25)"):
        AUState(**wrong)
