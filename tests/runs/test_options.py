from dataclasses import replace

import pytest

from vlfau.errors import ConfigError
from vlfau.runs.options import ArchiveOptions, PredictOptions, VideoPart, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("0.2s", 0.2), ("200ms", 0.2), ("0.2", 0.2), (".5", 0.5), ("90", 90.0), ("2 s", 2.0)),
        *(("1:03.5", 63.5), ("1:02:03", 3723.0), ("0:90", 90.0)),
    ],
)
def test_times_are_read_as_people_write_them(text, expected):
    assert seconds(text, "--every") == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "abc", "-1", "1m", "1:2:3:4", "1:30ms", "nan", "1,5"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ConfigError, match="--end takes a time such as 0.2s, 200ms or 1:23.5, not"):
        seconds(text, "--end")


def test_a_part_of_a_video_is_read_as_a_whole():
    assert PredictOptions(every="200ms", start="1:00", end="2:00").part == VideoPart(0.2, 60.0, 120.0)
    assert PredictOptions().part == VideoPart()


def test_words_are_consistent_unless_free_ones_are_wanted():
    assert PredictOptions().consistent
    free = PredictOptions(free_words=True)
    assert free == PredictOptions(consistent=False)
    assert free.record()["consistent"] is False
    assert replace(free, beam_size=1).consistent is False
    assert replace(free, consistent=True).consistent is True


def test_archives_and_runs_have_the_same_options_but_for_words_and_threads():
    assert ArchiveOptions().record() == {
        "every_s": None,
        "describe": "never",
        "beam_size": 3,
        "gendered": False,
        "consistent": True,
        "max_faces": None,
        "runtime": "onnxruntime",
    }
    assert list(PredictOptions(every="0.2s", baseline=("clip",)).record().items()) == [
        ("format", "native"),
        *((name, False) for name in ("annotate", "report", "timeline")),
        ("heatmap", None),
        ("parents", False),
        ("every", "0.2s"),
        *(("start", None), ("end", None)),
        ("baseline", ["clip"]),
        *(("describe", "changes"), ("beam-size", 3), ("gendered", False), ("consistent", True)),
        *(("max-faces", None), ("runtime", "onnxruntime")),
    ]
