import csv
import json

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from tests.evaluation.tables_of_tools import (
    write_libreface,
    write_manifest,
    write_openface_picture,
    write_pyfeat,
    write_vlfau,
)
from vlfau.cli import main
from vlfau.errors import InputError, ManifestError
from vlfau.evaluation.au_metrics import icc_per_au
from vlfau.evaluation.comparison import compare_tools
from vlfau.evaluation.comparison_results import Rules
from vlfau.evaluation.tool_scores import Truth, auc_samples, f1_samples, icc_samples, samples_of

FRAMES = 60


@pytest.fixture
def study(tmp_path):
    """Sixty coded pictures of ten people, and what four tools say of them."""
    rng = np.random.default_rng(5)
    level = rng.integers(0, 6, FRAMES) * rng.integers(0, 2, FRAMES)
    active = (level > 0).astype(int)
    pouting = rng.integers(0, 2, FRAMES)
    said = np.clip((level + rng.normal(0, 2, FRAMES)) / 5, 0, 1).round(2)
    names = [f"p{frame:02}.png" for frame in range(FRAMES)]
    cells = [
        {"AU12": active[i], "AU12_intensity": level[i], "AU17": pouting[i], "expression": ("joy", "calm")[i % 2]}
        for i in range(FRAMES)
    ]
    manifest = write_manifest(tmp_path, [(name, f"S{i % 10}", cells[i]) for i, name in enumerate(names)])
    ours = write_vlfau(
        tmp_path / "ours.csv",
        [(name, 50, {12: (p, int(p > 0.3), 5 * p), 17: (0.5, 0, 1)}) for name, p in zip(names, said, strict=True)],
        (12, 17),
    )
    for i, name in enumerate(names[:-2]):
        write_openface_picture(
            tmp_path / "openface" / f"{name[:-4]}.csv", [(0.9, {12: (level[i], active[i]), 17: (0.2, 0)})], (12, 17)
        )
        write_libreface(tmp_path / "libreface" / f"{name[:-4]}.csv", {17: pouting[i]}, {12: 5 * said[i]})
    pyfeat = write_pyfeat(
        tmp_path / "pyfeat.csv", [(name, 40, {12: 1 - p, 11: 0.1}) for name, p in zip(names, said, strict=True)]
    )
    return {
        "manifest": manifest,
        "tables": (ours, tmp_path / "openface", pyfeat, tmp_path / "libreface"),
        "active": active,
        "level": level,
        "said": said,
        "pouting": pouting,
    }


def test_scores_are_those_of_scikit_learn_and_of_shrout_and_fleiss(study):
    ours = compare_tools(study["manifest"], study["tables"][:1], Rules(draws=50)).tools[0].left_out.per_au
    assert ours["auc"][12].value == pytest.approx(roc_auc_score(study["active"], study["said"]))
    assert ours["f1"][12].value == pytest.approx(f1_score(study["active"], study["said"] > 0.3))
    icc = icc_per_au(5 * study["said"][:, None], study["level"][:, None])[0]
    assert ours["icc"][12].value == pytest.approx(icc)
    # AU 17 says the same of all faces, and has no coded intensity.
    assert ours["auc"][17].value == 0.5
    assert 17 not in ours["icc"]
    low, high = ours["auc"][12].interval
    assert 0.5 < low < ours["auc"][12].value < high <= 1


def test_each_tool_is_scored_by_what_it_has(study):
    comparison = compare_tools(study["manifest"], study["tables"], Rules(draws=20))
    ours, openface, pyfeat, libreface = comparison.tools
    assert [tool.format for tool in comparison.tools] == ["vlfau", "OpenFace 2", "Py-Feat", "LibreFace"]
    assert openface.score_from == {12: "intensity", 17: "intensity"}
    assert openface.left_out.per_au["auc"][12].value == openface.left_out.per_au["icc"][12].value == 1
    assert libreface.score_from == {12: "intensity", 17: "state"}
    assert libreface.state_from == {12: "intensity of 1 or more", 17: "its own states"}
    assert libreface.left_out.per_au["f1"][17].value == 1
    assert libreface.left_out.per_au["f1"][12].value == pytest.approx(
        f1_score(study["active"][:-2], 5 * study["said"][:-2] >= 1)
    )
    assert pyfeat.state_from == {12: "probability of 0.5 or more"}
    assert pyfeat.other_au_ids == (11,)
    assert pyfeat.left_out.per_au["auc"][12].value == pytest.approx(1 - ours.left_out.per_au["auc"][12].value)
    # All four have AU 12, and three have intensities of it.
    assert comparison.common == {"auc": (12,), "f1": (12,), "icc": (12,)}
    assert ours.left_out.mean["auc"] == ours.left_out.per_au["auc"][12]
    assert ours.left_out.mean_own["auc"].value == pytest.approx((ours.left_out.per_au["auc"][12].value + 0.5) / 2)
    assert pyfeat.left_out.mean["icc"].value is None


def test_missed_faces_are_left_out_and_called_inactive(study):
    openface = compare_tools(study["manifest"], study["tables"][1:2], Rules(draws=20)).tools[0]
    assert (openface.found, openface.missed) == (58, ("p58.png", "p59.png"))
    scores = np.r_[study["level"][:-2], -1, -1]
    assert openface.called_inactive.per_au["auc"][12].value == pytest.approx(roc_auc_score(study["active"], scores))
    assert openface.called_inactive.per_au["f1"][12].value == pytest.approx(f1_score(study["active"], scores > 0))


def test_differences_are_paired_on_the_frames_that_both_found(study):
    (difference,) = compare_tools(study["manifest"], study["tables"][:2], Rules(draws=50)).differences
    assert (difference.first, difference.other, difference.frames) == ("ours", "openface", 58)
    expected = roc_auc_score(study["active"][:-2], study["said"][:-2]) - 1
    assert difference.left_out.per_au["auc"][12].value == pytest.approx(expected)
    assert difference.left_out.per_au["auc"][12].interval[1] < 0
    (same,) = compare_tools(
        study["manifest"], (study["tables"][0], copy_of(study["tables"][0])), Rules(draws=20)
    ).differences
    assert same.left_out.mean["auc"].interval == (0, 0)


def copy_of(path):
    copy = path.with_name("again.csv")
    copy.write_bytes(path.read_bytes())
    return copy


def test_auc_within_groups_counts_pairs_of_one_group_alone(study):
    comparison = compare_tools(study["manifest"], study["tables"][:1], Rules(within="expression", draws=20))
    won = pairs = 0
    for half in (0, 1):
        active, said = study["active"][half::2], study["said"][half::2]
        weight = active.sum() * (1 - active).sum()
        won, pairs = won + weight * roc_auc_score(active, said), pairs + weight
    assert comparison.tools[0].left_out.per_au["within"][12].value == pytest.approx(won / pairs)
    with pytest.raises(ManifestError, match=r"no column 'mood' .*it has image, subject, AU12"):
        compare_tools(study["manifest"], study["tables"][:1], Rules(within="mood"))


def test_every_sample_is_scored_as_the_frames_that_it_draws(study):
    """A sample by sums per person equals the score of its frames, each as often as its person is drawn."""
    rng = np.random.default_rng(1)
    scores, states = rng.integers(0, 9, (FRAMES, 1)) / 8, rng.integers(0, 2, (FRAMES, 1)).astype(float)
    people = tuple(f"S{frame % 10}" for frame in range(FRAMES))
    truth = Truth(study["active"][:, None].astype(np.int8), study["level"][:, None].astype(float), people)
    samples = samples_of(truth, seed=3, draws=5)
    by_sums = [measure(values, truth, samples)[:, 0] for measure, values in measures_of(scores, states)]
    for place, counts in enumerate(samples):
        chosen = np.repeat(np.arange(FRAMES), [int(counts[frame % 10]) for frame in range(FRAMES)])
        active, level = study["active"][chosen], study["level"][chosen]
        assert by_sums[0][place] == pytest.approx(roc_auc_score(active, scores[chosen, 0]))
        assert by_sums[1][place] == pytest.approx(f1_score(active, states[chosen, 0]))
        assert by_sums[2][place] == pytest.approx(icc_per_au(scores[chosen], level[:, None])[0])


def measures_of(scores, states):
    return ((auc_samples, scores), (f1_samples, states), (icc_samples, scores))


def test_one_person_gives_scores_without_intervals(tmp_path):
    manifest = write_manifest(tmp_path, [("a.png", "S1", {"AU12": 1}), ("b.png", "S1", {"AU12": 0})])
    ours = write_vlfau(tmp_path / "ours.csv", [("a.png", 9, {12: (0.9, 1, 4)}), ("b.png", 9, {12: (0.1, 0, 0)})])
    figure = compare_tools(manifest, [ours], Rules()).tools[0].left_out.per_au["auc"][12]
    assert (figure.value, figure.interval) == (1, None)


def test_a_tool_without_the_manifests_aus_is_refused(tmp_path, study):
    other = write_vlfau(tmp_path / "other.csv", [("p00.png", 9, {43: (0.9, 1, 4)})], (43,))
    with pytest.raises(InputError, match="none of the AUs of manifest .*: it has 43, the manifest 12, 17"):
        compare_tools(study["manifest"], [other], Rules())


def test_tables_of_one_name_are_told_apart_by_their_folders(tmp_path, study):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.csv").write_bytes(study["tables"][0].read_bytes())
    tables = [tmp_path / name / "results.csv" for name in ("one", "two")]
    comparison = compare_tools(study["manifest"], tables, Rules(draws=5))
    assert [tool.name for tool in comparison.tools] == ["one/results", "two/results"]
    with pytest.raises(InputError, match="cannot be told apart"):
        compare_tools(study["manifest"], [tables[0], tables[0]], Rules())


def test_the_command_prints_and_writes_all_of_it(tmp_path, study, capsys):
    out = tmp_path / "out"
    arguments = [
        "compare",
        *map(str, (study["manifest"], *study["tables"])),
        "--within",
        "expression",
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())  # Long paths move the line breaks.
    assert "minus pyfeat" in printed
    assert "no face found in 2 of 60 frames" in printed
    content = json.loads((out / "compare.json").read_text("utf-8"))
    openface = content["tools"][1]
    assert openface["left_out"]["per_au"]["auc"]["12"]["value"] == 1
    assert content["labels"]["12"]["present"] == study["active"].sum()
    with (out / "comparison.csv").open(newline="") as file:
        rows = {(row["tool"], row["missed_faces"], row["au"]): row for row in csv.DictReader(file)}
    assert rows["openface", "left out", "12"]["auc"] == "1.0000"
    assert rows["pyfeat", "left out", "12"]["icc"] == ""
    page = (out / "comparison.md").read_text("utf-8")
    assert "| openface | 58 of 60 | 1.000 [1.000, 1.000] |" in page
    assert "| openface, all frames | 58 of 60 |" in page
    assert str(tmp_path) not in page + json.dumps(content)
    difference = next(line for line in page.splitlines() if line.startswith("| minus openface |"))
    auc = float(difference.split("|")[3].split()[0])
    assert auc == round(content["differences"][0]["left_out"]["mean"]["auc"]["value"], 3) < 0
    assert "-." in difference  # as a paper writes it
    assert (out / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert main(arguments) == 0  # its own files may be replaced
    capsys.readouterr()


def test_the_command_never_replaces_what_it_did_not_write(tmp_path, study, capsys):
    (tmp_path / "compare.json").write_text("mine")
    assert main(["compare", str(study["manifest"]), str(study["tables"][0]), "--out", str(tmp_path)]) == 2
    assert "vlfau did not write it" in capsys.readouterr().err
    assert (tmp_path / "compare.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("more", "said"),
    [(["--threshold", "1.5"], "--threshold takes a probability between 0 and 1"), (["none.csv"], "cannot be read")],
)
def test_wrong_arguments_end_with_a_sentence(study, capsys, more, said):
    assert main(["compare", str(study["manifest"]), str(study["tables"][0]), *more]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert main(["compare", str(study["manifest"])]) == 2
    assert "no table was given" in capsys.readouterr().err
