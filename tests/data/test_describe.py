import json

import pytest

from vlfau.cli.describe import describe as command
from vlfau.data.check_descriptions import Mismatch, find_mismatches
from vlfau.data.describe import describe
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError, DescriptionError, InputError
from vlfau.facs import AUState, Side
from vlfau.language import Gender, global_description, local_description
from vlfau.language.grammar import local_descriptions

ROWS = [
    {"subject": "F001", "fold": 2, "gender": "F", "AU12": 1, "AU12_intensity": 3, "AU12_side": "left", "AU25": 0},
    {"subject": "S2", "fold": "", "gender": "", "AU12": "", "AU12_intensity": "", "AU12_side": "", "AU25": 1},
    {"subject": "S3", "fold": 1, "gender": "M", "AU12": "", "AU12_intensity": "", "AU12_side": "", "AU25": ""},
    {"subject": "S4", "fold": 1, "gender": "M", "AU12": 0, "AU12_intensity": 0, "AU12_side": "", "AU25": 0},
]


@pytest.fixture
def manifest(write_manifest):
    """A manifest without any picture."""
    return read_manifest(write_manifest(ROWS, pictures=False), pictures=False)


@pytest.fixture
def written(manifest, tmp_path):
    path = tmp_path / "descriptions.jsonl"
    describe(manifest, path)
    return path


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_holds_a_frames_labels_and_their_words(written):
    smile, at_rest = AUState(12, True, 3, Side.LEFT), AUState(25, False)
    assert lines_of(written)[0] == {
        "image": "000.png",
        "subject": "F001",
        "fold": 2,
        "gender": "F",
        "aus": {
            "12": {"active": True, "intensity": 3, "side": "left", "text": local_description(smile)},
            "25": {"active": False, "intensity": None, "side": None, "text": local_description(at_rest)},
        },
        "global": global_description([smile], Gender.WOMAN),
    }


TRACES = [
    {"AU12": 0, "AU12_intensity": 1, "AU25": 0, "AU25_intensity": 0},
    {"AU12": 0, "AU12_intensity": 0, "AU25": 0, "AU25_intensity": 0},
    {"AU12": 0, "AU12_intensity": "", "AU25": 1, "AU25_intensity": ""},
]


@pytest.fixture
def disfa_like(write_manifest):
    """Occurrence from B on: with a trace, with none, and with one that nobody ruled out."""
    rows = [{"occurrence_from": 2, **row} for row in TRACES]
    return read_manifest(write_manifest(rows, pictures=False, name="disfa.csv"), pictures=False)


@pytest.mark.parametrize("paraphrases", [False, True])
def test_an_au_that_may_show_a_trace_is_never_described_as_at_rest(disfa_like, tmp_path, paraphrases):
    describe(disfa_like, tmp_path / "out.jsonl", seed=3, paraphrases=paraphrases)
    coded, none, open_ = lines_of(tmp_path / "out.jsonl")
    traces = local_descriptions(AUState(12, active=False, trace=True))
    for line in (coded, open_):
        assert line["aus"]["12"].keys() == {"active", "intensity", "side", "trace", "text"}
        assert (line["aus"]["12"]["trace"], line["aus"]["12"]["text"] in traces) == (True, True)
    assert "trace" in coded["global"]
    assert "trace" not in none["aus"]["12"]
    assert none["aus"]["12"]["text"] in local_descriptions(AUState(12, active=False))
    assert "trace" not in none["global"]
    assert list(find_mismatches(disfa_like, tmp_path / "out.jsonl")) == []


def test_at_rest_is_untrue_of_a_trace_and_at_most_a_trace_is_true_at_rest(disfa_like, tmp_path):
    path = tmp_path / "out.jsonl"
    describe(disfa_like, path)
    lines = lines_of(path)
    at_rest, trace = (local_description(AUState(12, False, trace=trace)) for trace in (False, True))
    lines[0]["aus"]["12"]["text"] = lines[2]["aus"]["12"]["text"] = at_rest
    lines[1]["aus"]["12"]["text"] = trace
    lines[0]["global"], lines[1]["global"] = lines[1]["global"], lines[0]["global"]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    first, second, third = find_mismatches(disfa_like, path)
    assert (first.line, second.line, third.line) == (1, 1, 3)
    assert first.problem == (
        f"AU 12: the text says AU12 inactive, and the manifest AU12 inactive with at most a trace: {at_rest!r}"
    )
    assert second.problem.startswith("global: the text says that no coded AU acts, and the manifest that one may show")


def test_descriptions_that_know_no_trace_are_named(disfa_like, tmp_path):
    path = tmp_path / "out.jsonl"
    describe(disfa_like, path)
    lines = lines_of(path)
    del lines[0]["aus"]["12"]["trace"]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (mismatch,) = find_mismatches(disfa_like, path)
    assert mismatch.problem == (
        'AU 12: must be AU12 inactive with at most a trace, as in the manifest, with "trace": true'
    )


def test_what_nobody_annotated_is_not_described(written):
    _, partly, never, at_rest = lines_of(written)
    assert (partly["aus"]["12"], partly["fold"], partly["gender"]) == (None, None, None)
    assert partly["global"] == "This person parts the lips."
    assert (never["aus"], never["global"]) == ({"12": None, "25": None}, None)
    assert at_rest["global"] == "This man shows none of the coded facial actions."


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_words(write_manifest, tmp_path):
    manifest = read_manifest(write_manifest([{"AU12": 1, "AU25": 0}] * 20, pictures=False), pictures=False)
    paths = [tmp_path / f"{number}.jsonl" for number in range(3)]
    for path, seed in zip(paths, (5, 5, 6), strict=True):
        describe(manifest, path, seed=seed, paraphrases=True)
    first, same, other = (path.read_bytes() for path in paths)
    assert first == same != other
    texts = {line["aus"]["12"]["text"] for line in lines_of(paths[0])}
    assert len(texts) == 4  # all paraphrases of a smile without degree and side


def test_a_frames_words_do_not_depend_on_the_other_frames(write_manifest, tmp_path):
    rows = [{"image": f"{number}.png", "AU12": 1, "AU25": number % 2} for number in range(10)]
    described = []
    for name, chosen in (("all", rows), ("few", rows[:2:-2])):
        manifest = read_manifest(write_manifest(chosen, pictures=False, name=f"{name}.csv"), pictures=False)
        describe(manifest, tmp_path / name, seed=1, paraphrases=True)
        described.append({line["image"]: line for line in lines_of(tmp_path / name)})
    everything, few = described
    assert list(few) == ["9.png", "7.png", "5.png", "3.png"]
    assert few.items() <= everything.items()


@pytest.mark.parametrize("paraphrases", [False, True])
def test_every_text_is_read_back_to_the_manifests_state(write_manifest, tmp_path, paraphrases):
    rows = [
        {
            "gender": "FM"[number % 2],
            "AU6": 0,
            "AU12": 1,
            "AU12_intensity": number % 6,
            "AU12_side": ("left", "right", "both", "")[number % 4],
            "AU25": number % 2,
        }
        for number in range(48)
    ]
    manifest = read_manifest(write_manifest(rows, pictures=False), pictures=False)
    describe(manifest, tmp_path / "out.jsonl", paraphrases=paraphrases)
    assert list(find_mismatches(manifest, tmp_path / "out.jsonl")) == []


def test_progress_counts_frames(manifest, tmp_path):
    seen = []
    describe(manifest, tmp_path / "out", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (
        list(find_mismatches(manifest, tmp_path / "out", progress=lambda done, total: seen.append((done, total)))) == []
    )
    assert seen[4:] == seen[:4]


def test_a_failure_leaves_the_old_file(manifest, written):
    before = written.read_bytes()

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        describe(manifest, written, seed=3, paraphrases=True, progress=stop)
    assert written.read_bytes() == before
    assert sorted(path.name for path in written.parent.iterdir()) == ["descriptions.jsonl", "manifest.csv"]


def test_the_manifest_is_not_overwritten(manifest, tmp_path):
    with pytest.raises(ConfigError, match=r"manifest\.csv is the manifest itself"):
        describe(manifest, tmp_path / "manifest.csv")
    with pytest.raises(ConfigError, match="the seed must be 0 or more, not -1"):
        describe(manifest, tmp_path / "out", seed=-1)
    with pytest.raises(InputError, match="cannot write"):
        describe(manifest, tmp_path / "absent" / "out")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"fold": 3}, "fold is 3, and 2 in the manifest"),
        ({"gender": None}, "gender is None, and 'F' in the manifest"),
        ({"aus": {"12": None}}, "aus must have the keys 12, 25"),
        (
            {"global": "This woman parts the lips."},
            "global: the text says AU25 active, and the manifest AU12 active at C",
        ),
        ({"global": "This woman and so on."}, "global: the text can't be read: 'This woman and so on.'"),
        ({"global": None}, "global: must be a text"),
        (
            {"global": global_description([AUState(12, True, 3, Side.LEFT)], Gender.MAN)},
            "global: the text says man, and the manifest woman",
        ),
    ],
)
def test_a_line_that_says_something_else_is_named(manifest, written, change, problem):
    lines = lines_of(written)
    lines[0] |= change
    written.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (mismatch,) = find_mismatches(manifest, written)
    assert mismatch.line == 1
    assert mismatch.problem.startswith(problem)
    assert str(mismatch).startswith(f"line 1: {problem}")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"text": local_description(AUState(12, False))},
            "AU 12: the text says AU12 inactive, and the manifest AU12 active",
        ),
        ({"text": local_description(AUState(12, True, 4, Side.LEFT))}, "AU 12: the text says AU12 active at D on left"),
        (
            {"text": local_description(AUState(12, True, 3, Side.RIGHT))},
            "AU 12: the text says AU12 active at C on right",
        ),
        ({"text": local_description(AUState(25, True))}, "AU 12: the text says AU25 active"),
        (
            {"text": f"{local_description(AUState(12, True, 3, Side.LEFT))} And so on."},
            "AU 12: the text says nothing readable",
        ),
        ({"text": "It smiles."}, "AU 12: the text says nothing readable"),
        ({"intensity": 4}, "AU 12: must be AU12 active at C on left, as in the manifest"),
        ({"text": None}, "AU 12: must have active, intensity, side and text"),
    ],
)
def test_an_au_that_is_described_as_something_else_is_named(manifest, written, change, problem):
    lines = lines_of(written)
    lines[0]["aus"]["12"] |= change
    written.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (mismatch,) = find_mismatches(manifest, written)
    assert mismatch.problem.startswith(problem)


def test_words_about_what_nobody_annotated_are_named(manifest, written):
    lines = lines_of(written)
    lines[2] |= {"aus": {"12": lines[0]["aus"]["12"], "25": None}, "global": "This man parts the lips."}
    written.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert list(find_mismatches(manifest, written)) == [
        Mismatch(3, "AU 12: must be null, since it is not annotated"),
        Mismatch(3, "global: must be null, since no AU is annotated"),
    ]


def test_a_global_text_may_leave_the_gender_out(manifest, written):
    lines = lines_of(written)
    lines[0]["global"] = lines[0]["global"].replace("woman", "person")
    written.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert list(find_mismatches(manifest, written)) == []


def test_broken_repeated_and_missing_lines_are_named(manifest, written):
    first, second, *_ = written.read_text(encoding="utf-8").splitlines()
    written.write_text("\n".join([first, second[:40], first, "[1]"]), encoding="utf-8")
    assert list(map(str, find_mismatches(manifest, written))) == [
        "line 2: is not a JSON object",
        "line 3: describes no frame of the manifest, or one that an earlier line describes",
        "line 4: describes no frame of the manifest, or one that an earlier line describes",
        "no line describes 001.png",
        "no line describes 002.png",
        "no line describes 003.png",
    ]


@pytest.mark.parametrize(("content", "message"), [(b"\xff", "not UTF-8 text"), (None, "can't be opened")])
def test_a_file_that_cannot_be_read_is_named(manifest, tmp_path, content, message):
    path = tmp_path / "wrong.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DescriptionError, match=rf"wrong\.jsonl .*{message}"):
        list(find_mismatches(manifest, path))


def test_the_command_describes_and_checks(manifest, tmp_path, capsys):
    out = tmp_path / "words.jsonl"
    assert command(manifest.path, out, seed=2, paraphrases=True) == 0
    assert command(manifest.path, check=out) == 0
    said = capsys.readouterr().out
    assert f"descriptions: {out} (4 frames)" in said
    assert "checked: every text" in said
    out.write_text(out.read_text(encoding="utf-8").replace("parts", "does not part"), encoding="utf-8")
    out.write_text(out.read_text(encoding="utf-8").replace('"fold": 2', '"fold": 3'), encoding="utf-8")
    with pytest.raises(DescriptionError, match=r"words\.jsonl contradicts .* in \d places"):
        command(manifest.path, check=out)
    assert "line 1: fold is 3, and 2 in the manifest" in capsys.readouterr().out


def test_the_command_wants_one_file(manifest, tmp_path):
    for arguments in ({}, {"out": tmp_path / "a", "check": tmp_path / "b"}):
        with pytest.raises(ConfigError, match="either a file to write or, with --check, a file to check"):
            command(manifest.path, arguments.get("out"), check=arguments.get("check"))
