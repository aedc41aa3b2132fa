from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.runs.option_values import VideoPart, seconds
from vlfau.runs.options import ArchiveOptions, PredictOptions


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
        *(("stream", None), ("fps", None), ("region", []), ("tiles", None)),
        *(("identities", False), ("smooth", False), ("face", None)),
        *(("describe", "changes"), ("beam-size", 3), ("gendered", False), ("consistent", True)),
        *(("max-faces", None), ("runtime", "onnxruntime")),
        *((name, None) for name in ("gaze", "head-position", "crops", "anonymise", "elan")),
        *((name, None) for name in ("sides", "measurements", "quality", "keep-doubtful", "landmarks")),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"out": "results"}, {"out": Path("results")}),
        ({"table": "a.csv"}, {"table": (Path("a.csv"),)}),
        ({"table": ["a.csv", Path("b.csv")]}, {"table": (Path("a.csv"), Path("b.csv"))}),
        ({"table": None}, {"table": ()}),
        ({"baseline": Path("rest.png")}, {"baseline": ("rest.png",)}),
        ({"every": 1 / 3}, {"every": "0.333333333"}),
        ({"every": 1e-5}, {"every": "0.00001"}),
        ({"start": 83, "end": np.float32(90.5)}, {"start": "83", "end": "90.5"}),
        ({"heatmap": 12}, {"heatmap": "12"}),
        ({"heatmap": np.array([12, 6])}, {"heatmap": "12,6"}),
        ({"threads": np.int64(2), "annotate": np.True_}, {"threads": 2, "annotate": True}),
    ],
    ids=str,
)
def test_python_may_give_what_stands_for_a_value(given, expected):
    options = PredictOptions(**given)
    assert options == PredictOptions.of(None, given) == PredictOptions(**expected)
    for name, value in expected.items():
        assert (getattr(options, name), type(getattr(options, name))) == (value, type(value))
    _ = options.part


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"threads": "2"}, "threads is '2'; give a whole number"),
        ({"threads": None}, "threads is None; give a whole number"),
        ({"beam_size": 1.5}, "beam_size is 1.5; give a whole number"),
        ({"max_faces": True}, "max_faces is True; give a whole number"),
        ({"gendered": "no"}, "gendered is 'no'; give True or False"),
        ({"describe": "all"}, "describe is 'all'; give one of changes, active, every, never"),
        ({"format": None}, "format is None; give one of native, openface, pyfeat"),
        ({"runtime": "gpu"}, "runtime is 'gpu'; give one of onnxruntime, cpu, "),
        ({"every": True}, "every is True; give a number of seconds, or a time such as 200ms or 1:23.5"),
        ({"out": b"results"}, "out is b'results'; give a path, as text or as a Path"),
        ({"table": [5]}, "table is 5; give a path, as text or as a Path"),
        ({"heatmap": True}, "heatmap is True; give active, or numbers of action units such as 12 or [6, 12]"),
    ],
    ids=str,
)
def test_a_value_of_another_type_is_refused_with_what_to_give(given, message):
    for wrong in (lambda: PredictOptions(**given), lambda: PredictOptions.of(PredictOptions(), given)):
        with pytest.raises(ConfigError) as refused:
            wrong()
        assert str(refused.value).startswith(message)


def test_a_time_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match="--every takes a time such as 0.2s, 200ms or 1:23.5, not 'nan'"):
        _ = PredictOptions(every=float("nan")).part


@pytest.mark.parametrize("options", [{"every": 0.2}, ArchiveOptions()], ids=["a dict", "those of an archive"])
def test_other_objects_are_no_options_of_a_run(options):
    with pytest.raises(ConfigError, match="give PredictOptions, or options by name"):
        PredictOptions.of(options, {})


def test_a_table_needs_a_name():
    with pytest.raises(ConfigError, match=r"--table is '\.', which names no file"):
        PredictOptions(table="").check([])
