import re

import pytest

from vlfau.errors import ConfigError
from vlfau.facs import all_au_ids
from vlfau.measures.definitions import definitions, definitions_of_au, read_definitions
from vlfau.measures.resting import read_resting, resting

ONE = """
[[measurement]]
name = "mouth_width"
label = "mouth width"
form = "width"
from = [61]
to = [291]
meaning = "from corner to corner"
anatomy = "zygomaticus major"
source = "FACS 2002"
aus = { 12 = "more" }
"""


def read(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return read_definitions(path)


@pytest.mark.parametrize("au_id", all_au_ids())
def test_every_au_has_two_measurements_or_more_that_tell_it_from_chance(au_id):
    found = definitions_of_au(au_id)
    assert len(found) >= 2
    scores = [resting()[each.name].auc[au_id] for each in found]
    assert min(scores) >= 0.6
    assert max(scores) >= 0.7


def test_changes_are_told_in_percent_of_a_length_and_in_degrees():
    by_name = {each.name: each for each in definitions()}
    assert by_name["outer_brow_height"].amount(0.081) == "8 % of the eye distance"
    assert by_name["mouth_area"].amount(0.05) == "5.0 % of the squared eye distance"
    assert by_name["nose_to_mouth_width"].amount(0.1) == "0.10 times the nose's width"
    assert [by_name["brow_slope"].amount(angle) for angle in (1.2, 3.0)] == ["1 degree", "3 degrees"]


def test_every_range_of_resting_faces_is_no_point():
    assert all(known.low < known.high for known in resting().values())
    assert resting().keys() == {each.name for each in definitions()}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"width"', '"breadth"', "'form': expected one of height, width"),
        ("[61]", "[468]", "'from': expected a list of landmarks of the mesh, 0 to 467"),
        ("[61]", "[true]", "'from': expected a list of landmarks"),
        ('12 = "more"', '99 = "more"', "'99': expected the number of an AU"),
        ('12 = "more"', '12 = "up"', "'12': expected one of more, less"),
        ('{ 12 = "more" }', "{}", "expected at least one AU"),
        ('label = "mouth width"', "", "'label'"),
        ('label = "mouth width"', 'label = "mouth width"\nlength = 3', "'length'"),
        ('name = "mouth_width"', 'name = "Mouth width"', "'name': expected lower-case letters"),
        ('label = "mouth width"', 'label = "mouth width"\nunit = "cm"', "'unit': expected no unit"),
        ('label = "mouth width"', 'label = "mouth width"\nagainst = [1, 2]', "only a ratio has it"),
        ('label = "mouth width"', 'label = "mouth width"\nwords = ["wider"]', "'words': expected two words"),
        ('"width"', '"area"', "'from': expected the landmarks of a polygon, 3 or more"),
        ('"width"', '"ratio"\nunit = "times"', "'against': expected two landmarks"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, old, new, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)):
        read(tmp_path, ONE.replace(old, new))


def test_a_name_given_twice_and_an_au_without_a_measurement_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="two measurements are called mouth_width"):
        read(tmp_path, ONE + ONE)
    with pytest.raises(ConfigError, match="nothing is measured for AU 1;"):
        read(tmp_path, ONE)


def test_ranges_without_a_measurement_are_refused(tmp_path):
    path = tmp_path / "resting.toml"
    path.write_text("[made_from]\nfaces = 1\n", "utf-8")
    with pytest.raises(ConfigError, match=f"'{definitions()[0].name}': expected a table"):
        read_resting(path)
