import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from vlfau.errors import DescriptionError
from vlfau.facs import Side, action_unit, all_au_ids
from vlfau.language import descriptions
from vlfau.language.descriptions import default_descriptions, load_descriptions
from vlfau.language.schema import MAX_LOCAL_TOKENS
from vlfau.language.tokenizer import tokenize

PACKAGE_FOLDER = Path(descriptions.__file__).with_name("descriptions")
UNITS = default_descriptions().units.values()
LOCAL_TEXTS = [text for unit in UNITS for text in unit.locals]

Breaker = Callable[[str, str, str], Path]


@pytest.fixture
def break_file(tmp_path: Path) -> Breaker:
    """Copy the package's files, replace one text in one of them, and return the folder."""

    def breaker(name: str, old: str, new: str) -> Path:
        folder = tmp_path / "descriptions"
        shutil.copytree(PACKAGE_FOLDER, folder)
        content = (folder / name).read_text(encoding="utf-8")
        assert old in content
        (folder / name).write_text(content.replace(old, new, 1), encoding="utf-8")
        return folder

    return breaker


def test_every_au_of_the_catalogue_is_described_in_its_order() -> None:
    assert tuple(default_descriptions().units) == all_au_ids()


def test_every_au_has_at_least_four_texts_on_each_state_three_on_a_trace_and_two_phrases() -> None:
    assert all(min(len(unit.active), len(unit.inactive)) >= 4 for unit in UNITS)
    assert all(len(unit.trace) >= 3 and len(unit.phrases) >= 2 for unit in UNITS)


def test_every_local_text_states_depicts_and_associates_in_three_sentences() -> None:
    assert {text.source.count(".") for text in LOCAL_TEXTS} == {3}


def test_local_texts_have_between_15_tokens_and_the_maximum() -> None:
    lengths = [text.max_tokens(default_descriptions().wording) for text in LOCAL_TEXTS]
    assert min(lengths) >= 15
    assert max(lengths) == MAX_LOCAL_TOKENS == 38


@pytest.mark.parametrize("word", ["left", "right", "both", "sides", "minimally", "slightly", "strongly", "fully"])
def test_degrees_and_sides_stand_in_slots_only(word: str) -> None:
    assert not [text.source for text in LOCAL_TEXTS if word in text.words]


def test_a_text_on_an_acting_muscle_denies_nothing_of_it() -> None:
    first_sentences = {text.source.split(".")[0] for unit in UNITS for text in unit.active}
    assert not [text for text in first_sentences if {"no", "not", "without"} & set(tokenize(text))]


def test_a_text_on_a_resting_muscle_denies_its_movement_at_once() -> None:
    marks = {"no", "not", "relaxed", "rest", "rests"}
    assert all(marks & set(tokenize(text.source.split(".")[0])) for unit in UNITS for text in unit.inactive)


def test_associations_are_tendencies() -> None:
    marks = {"often", "can", "may", "unlike", "cannot"}
    assert all(marks & set(tokenize(text.source.split(".")[2])) for text in LOCAL_TEXTS)


@pytest.mark.parametrize("au_id", all_au_ids())
def test_a_described_side_is_a_side_of_the_catalogue(au_id: int) -> None:
    unit = default_descriptions().units[au_id]
    assert all(("side" in text.slots) == action_unit(au_id).sided for text in (*unit.active, *unit.phrases))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("au12.toml", "inactive = [", "resting = [", "'resting' is not a key"),
        ("au12.toml", "inactive = [", "active_too = [", "'active_too' is not a key"),
        ("au12.toml", "au = 12", "au = 13", "expected 'au = 12'"),
        ("au12.toml", "au = 12", "au = ", "expected a TOML file"),
        ("au12.toml", "active = [", "active = []\nglobal = []\ninactive = []\n#", "expected a TOML file"),
        ("au12.toml", "{degree} draws", "{strength} draws", "unknown slot 'strength'"),
        ("au12.toml", "{degree} draws", "draws", "needs these slots once"),
        ("au17.toml", "{degree} raises", "{degree} raises {side}", "needs these slots once"),
        ("au17.toml", "The mentalis {degree}", "The {mentalis|muscles} {degree}", "no {side}"),
        (
            "au12.toml",
            "The zygomaticus major is relaxed",
            "the zygomaticus major is relaxed",
            "must be sentences",
        ),
        (
            "au12.toml",
            "The zygomaticus major is relaxed",
            "The zygomaticus' major is relaxed",
            "must be sentences",
        ),
        ("au12.toml", "is relaxed", "is slightly relaxed", "names a degree or side with 'slightly'"),
        ("au12.toml", "is relaxed", "is relaxed on the left", "names a degree or side with 'left'"),
        ("au12.toml", "is relaxed", "is relaxed " + "and calm " * 9, "at most 38 fit"),
        ("au12.toml", "{degree} pulls the lip", "{degree} pulls and lifts the lip", "without 'and'"),
        ("au12.toml", "{degree} pulls the lip", "{degree} draws the lip", "occurs twice"),
        (
            "au12.toml",
            "Cheek raising can occur without it.",
            "Brow raising can occur without it.",
            "also occurs in au05.toml",
        ),
        (
            "au12.toml",
            "Cheek raising often joins it.",
            "Cheek raising can occur without it.",
            "also occurs in au12.toml",
        ),
        (
            "au12.toml",
            "Cheek raising may be seen without it.",
            "Cheek raising can occur without it.",
            r"also occurs in au12.toml \(inactive\)",
        ),
        ("au12.toml", "trace = [", "traces = [", "'trace' is missing"),
        ("wording.toml", "trace = [", 'trace = [\n  "shows no coded facial action",', "share a text"),
        ("wording.toml", "trace = [", 'trace = [\n  "Shows, no trace",', "'trace' is a list of plain lower-case words"),
        ("wording.toml", '"slightly"', '"a little"', "single adverb"),
        ("wording.toml", '"slightly"', '"strongly"', "are the same"),
        ("wording.toml", 'E = "maximally"', "", "expected the keys"),
        ("wording.toml", "on the left side", "on the right", "needs a word that the other sides lack"),
        ("wording.toml", '"This person"', '""', "not empty"),
        ("wording.toml", "shows none of", "Shows, none of", "plain lower-case words"),
        ("wording.toml", "decisive = [", "other = [", "expected the keys"),
        ("wording.toml", '"neither"', "7", "'decisive' is a list of plain lower-case words"),
        ("wording.toml", "[reading]", "reading = 1\n[read]", "expected a TOML file|expected the keys"),
    ],
)
def test_a_broken_file_is_named_with_its_flaw(break_file: Breaker, name: str, old: str, new: str, message: str) -> None:
    with pytest.raises(DescriptionError, match=message) as error:
        load_descriptions(break_file(name, old, new))
    assert name in str(error.value)


def test_a_state_without_texts_is_named(break_file: Breaker) -> None:
    folder = break_file("au12.toml", "au = 12", "au = 12")
    content = (folder / "au12.toml").read_text(encoding="utf-8")
    without = re.sub(r"^inactive = \[.*?^\]", "", content, flags=re.DOTALL | re.MULTILINE)
    (folder / "au12.toml").write_text(without, encoding="utf-8")
    with pytest.raises(DescriptionError, match=r"au12\.toml: 'inactive' is missing"):
        load_descriptions(folder)


def test_three_texts_are_too_few(break_file: Breaker) -> None:
    folder = break_file("au12.toml", "au = 12", "au = 12")
    lines = (folder / "au12.toml").read_text(encoding="utf-8").splitlines()
    del lines[lines.index("active = [") + 1]
    (folder / "au12.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DescriptionError, match="'active' holds 3 texts, not 4 or more"):
        load_descriptions(folder)


def test_a_file_for_an_au_outside_the_catalogue_is_refused(break_file: Breaker) -> None:
    folder = break_file("au12.toml", "au = 12", "au = 12")
    (folder / "au03.toml").write_text("au = 3", encoding="utf-8")
    with pytest.raises(DescriptionError, match=r"au03\.toml: the catalogue has no such AU"):
        load_descriptions(folder)


def test_a_missing_file_is_named(break_file: Breaker) -> None:
    folder = break_file("au12.toml", "au = 12", "au = 12")
    (folder / "au12.toml").unlink()
    with pytest.raises(DescriptionError, match=r"au12\.toml: the file cannot be read"):
        load_descriptions(folder)


def test_the_longest_form_of_a_text_is_that_of_some_degree_and_side():
    wording = default_descriptions().wording
    for text in LOCAL_TEXTS:
        degrees = range(1, 6) if "degree" in text.slots else (None,)
        sides = Side if "side" in text.slots else (None,)
        forms = [text.fill(wording, degree, side) for degree in degrees for side in sides]
        assert text.max_tokens(wording) == max(len(tokenize(form)) for form in forms)
