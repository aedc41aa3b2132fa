import json

import pytest

from vlfau.cli import main
from vlfau.errors import DescriptionError, InputError
from vlfau.evaluation.truth import truth_scores
from vlfau.evaluation.truth_texts import read_faces, read_texts
from vlfau.facs import AUState, Side
from vlfau.language import face_note, local_description

MANIFEST = """image,subject,AU4,AU12,AU12_intensity,AU12_side,AU25
frames/1.jpg,a,0,1,3,both,1
frames/2.jpg,a,1,0,0,,0
frames/3.jpg,b,0,1,2,left,
"""
PAIRS = "image,partner,au,partner_has_it\nframes/1.jpg,frames/1p.jpg,12,0\nframes/2.jpg,frames/2p.jpg,25,1\n"


@pytest.fixture
def faces(tmp_path):
    (tmp_path / "manifest.csv").write_text(MANIFEST)
    (tmp_path / "pairs.csv").write_text(PAIRS)
    return tmp_path / "manifest.csv"


def scored(faces, *records):
    path = faces.with_name("texts.jsonl")
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    known = read_faces(faces)
    found, others = read_texts(path, known)
    return truth_scores(known, found), others


def share(scores, name):
    found = scores["shares"][name]
    return found.value, found.count


def test_texts_are_compared_with_the_labels(faces):
    scores, _ = scored(
        faces,
        {"image": "frames/1.jpg", "text": "She smiles markedly on both sides. The brows are lowered. AU 9 is present."},
        {"image": "frames/2.jpg", "text": "The brows are lowered and there is no smile."},
        {"image": "frames/3.jpg", "text": "A strong smile on the right."},
    )
    assert share(scores, "true") == (4 / 5, 5)  # The lowered brows of the first face are invented.
    assert share(scores, "active_true") == (3 / 4, 4)
    assert share(scores, "inactive_true") == (1, 1)
    assert share(scores, "degree_exact") == (1 / 2, 2)
    assert share(scores, "degree_close") == (1 / 2, 2)
    assert share(scores, "side_true") == (1 / 2, 2)
    assert share(scores, "coverage") == (3 / 4, 4)  # The first face's parted lips are left out.
    assert share(scores, "hallucinated") == (1 / 4, 4)
    assert scores["not_labelled"] == {9: 1}
    assert share(scores, "unlabelled") == (1 / 6, 6)
    assert share(scores, "readable") == (1, 3)
    low, high = scores["shares"]["true"].interval
    assert low == pytest.approx(3 / 4)  # Of the people drawn, a alone has 3 of 4 right and b alone 1 of 1.
    assert high == 1


def test_texts_are_compared_with_what_the_explainer_decided(faces):
    smile, rest = AUState(12, True, 3, Side.LEFT), AUState(4, False)
    given = {"AU12_state": True, "AU12_intensity": 2.9, "AU12_side": "left", "AU4_state": False, "AU4_intensity": 0.1}
    own = {"AU12_text": local_description(smile), "AU4_text": local_description(rest), "text": face_note((smile, rest))}
    changes = [
        {},
        {"AU12_intensity": 1.2},
        {"AU12_side": "right"},
        {"AU4_text": local_description(AUState(4, True, 2))},
        {"text": face_note((AUState(12, True, 3, Side.RIGHT),))},
        {"text": face_note(())},
    ]
    for change in changes:
        scores, _ = scored(faces, {"image": "frames/1.jpg", **given, **own, **change})
        assert share(scores, "story") == (not change, 1)
    scores, _ = scored(faces, {"image": "frames/1.jpg", **given, **own, "AU12_intensity": 1.2})
    assert share(scores, "consistent_degree") == (0, 1)
    assert share(scores, "consistent_side") == (1, 1)
    assert share(scores, "consistent") == (1, 2)


def test_contradictions_inside_a_text_are_counted(faces):
    scores, _ = scored(
        faces,
        {"image": "frames/1.jpg", "text": "She smiles. The lip corners are not raised."},
        {"image": "frames/2.jpg", "text": "She smiles."},
    )
    assert share(scores, "contradictory") == (1 / 2, 2)


def test_pairs_count_what_flips_and_what_else_changes(faces):
    scores, _ = scored(
        faces,
        {"image": "frames/1.jpg", "text": "She smiles with lowered brows."},
        {"image": "frames/1p.jpg", "text": "The brows are lowered."},
        {"image": "frames/2.jpg", "text": "The brows are lowered."},
        {"image": "frames/2p.jpg", "text": "She smiles."},
    )
    assert share(scores, "flips") == (1 / 2, 2)
    assert share(scores, "others_unchanged") == (1 / 2, 2)


def test_pictures_are_found_by_the_end_of_their_path_and_other_lines_counted(faces):
    scores, others = scored(
        faces,
        {"file": "/data/x/frames/1.jpg", "text": "She smiles."},
        {"file": "2.jpg", "text": "She smiles."},
        {"image": "frames/9.jpg", "text": "She smiles."},
        {"image": "frames/1.jpg", "text": "A second face."},
        {"kind": "header"},
    )
    assert (scores["texts"], others, scores["faces"], scores["silent"]) == (2, 2, 5, 3)


def test_texts_of_other_languages_aus_and_kinds_get_clear_answers(faces, tmp_path, capsys):
    path = tmp_path / "odd.jsonl"
    texts = ["", "Sie lächelt.", "\x00\x07", "AU 38 is active.", "word " * 10_000]
    pictures = [f"frames/{name}.jpg" for name in ("1", "2", "3", "1p", "2p")]
    lines = zip(pictures, texts, strict=True)
    path.write_text("\n".join(json.dumps({"image": image, "text": text}) for image, text in lines))
    assert main(["truth", str(faces), str(path), "--out", str(tmp_path / "truth.json")]) == 0
    shown = capsys.readouterr()
    assert "AU38 (1)" in shown.out
    assert "only English is read" in shown.err + shown.out
    scores = json.loads((tmp_path / "truth.json").read_text())
    assert scores["shares"]["readable"]["value"] == 0
    assert scores["not_in_catalogue"] == {"38": 1}


def test_texts_on_aus_that_vlfau_does_not_know_are_counted(faces):
    scores, _ = scored(faces, {"image": "frames/1.jpg", "AU46_text": "AU 46 is active.", "AU99_text": None})
    assert scores["not_in_catalogue"] == {46: 1}
    assert scores["texts"] == 0


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("", None),
        (" \n ", 0),
        ("Die Mundwinkel sind angehoben. 嘴角上扬。", 0),
        ("word " * 10_000, 0),
        ("She smiles. " * 5_000, 1),
        ("She\x00 smiles\x07.\x1b[31m\u202e", 1),
        ("She smiles \ud800.", 1),
    ],
)
def test_empty_long_and_foreign_texts_and_control_characters_are_read_as_far_as_they_go(
    faces, tmp_path, capsys, text, readable
):
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"image": "frames/3.jpg", "text": text}))
    assert main(["truth", str(faces), str(path), "--out", str(tmp_path / "truth.json")]) == 0
    scores = json.loads((tmp_path / "truth.json").read_text())
    assert scores["shares"]["readable"]["value"] == readable
    shown = capsys.readouterr()
    assert ("only English is read" in shown.out + shown.err) == (not readable)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "line 1 is not JSON"),
        ("[]", "line 1 is not a JSON object"),
        ('{"text": "a"}', "line 1 names no picture"),
        ('{"image": "frames/1.jpg", "text": 3}', "a text is 3"),
        ('{"image": "frames/1.jpg", "AU12_text": ["a"]}', "a text is"),
        ('{"image": "frames/1.jpg", "AU12_state": 7}', "AU12 has the state 7"),
        ('{"image": "other.jpg", "text": "a"}', "no line of"),
        ("", "no line of"),
        (json.dumps({"image": "frames/1.jpg", "text": "a" * 100_001}), "100,001 characters"),
    ],
)
def test_lines_that_cannot_be_used_are_named(faces, tmp_path, line, message):
    path = tmp_path / "texts.jsonl"
    path.write_text(line)
    with pytest.raises(DescriptionError, match=message):
        read_texts(path, read_faces(faces))


def test_missing_files_and_empty_folders_are_named(faces, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no file"):
        read_faces(tmp_path / "empty")
    with pytest.raises(DescriptionError, match="can't be opened"):
        read_texts(tmp_path / "none.jsonl", read_faces(faces))


def test_a_folder_of_pictures_needs_no_labels(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a.jpg", "b.png"):
        (tmp_path / "photos" / name).write_bytes(b"")
    (tmp_path / "texts.jsonl").write_text('{"image": "a.jpg", "text": "She smiles.", "AU12_state": true}')
    faces = read_faces(tmp_path / "photos")
    scores = truth_scores(faces, read_texts(tmp_path / "texts.jsonl", faces)[0])
    assert share(scores, "story") == (1, 1)
    assert share(scores, "true") == (None, 0)
