import pytest

from vlfau.language import Gender


@pytest.mark.parametrize("text", ["F", "female", " Woman "])
def test_the_ways_to_write_a_woman_are_read(text: str) -> None:
    assert Gender.parse(text) is Gender.WOMAN


@pytest.mark.parametrize("text", ["m", "Male", "man"])
def test_the_ways_to_write_a_man_are_read(text: str) -> None:
    assert Gender.parse(text) is Gender.MAN


@pytest.mark.parametrize("text", ["", "  ", "unknown"])
def test_an_unknown_gender_is_none(text: str) -> None:
    assert Gender.parse(text) is None


def test_another_text_is_refused_and_named() -> None:
    with pytest.raises(ValueError, match="'x'"):
        Gender.parse("x")
