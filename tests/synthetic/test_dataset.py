import csv
import itertools
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from vlfau.cli import main
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError, InputError
from vlfau.facs import DEFAULT_AU_IDS, Side, all_au_ids
from vlfau.language import Gender
from vlfau.synthetic import DatasetSettings, generate, sheet
from vlfau.synthetic.manifest import columns
from vlfau.synthetic.presets import preset
from vlfau.synthetic.settings import plan_subjects

SETTINGS = DatasetSettings(preset="wide", subjects=3, clips=2, frames=2, size=64, seed=4)


def contents(folder: Path):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    seen = []
    generate(folder, SETTINGS, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    return folder


def test_the_manifest_is_one_that_training_reads(made):
    manifest = read_manifest(made / "manifest.csv")
    assert len(manifest.frames) == 3 * 2 * 2
    assert {frame.gender for frame in manifest.frames} == {Gender.WOMAN, Gender.MAN}
    states = [state for frame in manifest.frames for state in frame.states]
    assert all(state is not None for state in states)
    assert any(state.active and state.side == Side.BOTH for state in states)


def test_the_labels_agree_with_the_exact_intensities(made):
    with (made / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        strongest = max(float(row["left_AU12"]), float(row["right_AU12"]))
        assert (row["AU12"] == "1") == (strongest >= 1)
        assert float(row["AU25_intensity"]) <= float(row["exact_AU25"]) + 0.5
        assert 0 < float(row["landmark_33_x"]) < float(row["landmark_263_x"]) < 64


def test_a_stopped_run_goes_on_and_ends_the_same(made, tmp_path):
    folder = tmp_path / "again"
    generate(folder, SETTINGS)
    (folder / "people" / "S0002.csv").unlink()
    (folder / "manifest.csv").unlink()
    kept = (folder / "frames" / "S0001" / "001-0001.jpg").stat().st_mtime_ns
    generate(folder, SETTINGS)
    assert (folder / "frames" / "S0001" / "001-0001.jpg").stat().st_mtime_ns == kept
    assert contents(folder) == contents(made)


def test_two_workers_make_the_same_bytes(made, tmp_path):
    generate(tmp_path / "two", SETTINGS, workers=2)
    assert contents(tmp_path / "two") == contents(made)


def test_a_folder_with_other_settings_is_refused(made):
    with pytest.raises(InputError, match=r"was started with seed 4 \(now 5\); restore the settings, or choose another"):
        generate(made, DatasetSettings(preset="wide", subjects=3, clips=2, frames=2, size=64, seed=5))


def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="already contains other files; choose a new or empty folder"):
        generate(tmp_path, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_full_disk_is_said_in_a_sentence(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="No space left on device"):
        generate(tmp_path / "set", SETTINGS)
    assert not list((tmp_path / "set").rglob("*.jpg"))
    assert not list((tmp_path / "set").rglob("*.tmp"))


@pytest.mark.parametrize(("preset", "women", "men"), [("bp4d-like", 23, 18), ("disfa-like", 12, 15)])
def test_presets_have_the_data_sets_people_in_balanced_folds(preset, women, men):
    everyone = plan_subjects(DatasetSettings(preset))
    genders = [person.gender for person in everyone]
    assert (genders.count("F"), genders.count("M")) == (women, men)
    for gender in "FM":
        sizes = [sum(person.fold == fold and person.gender == gender for person in everyone) for fold in (1, 2, 3)]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("wrong", [{"clips": 0}, {"size": 8}, {"seed": -1}, {"subjects": 0}, {"preset": "x"}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        DatasetSettings(**wrong)


def test_a_pair_differs_in_one_au(tmp_path):
    settings = DatasetSettings(preset="disfa-like", subjects=1, clips=1, frames=3, size=64, pairs=True)
    generate(tmp_path, settings)
    with (tmp_path / "pairs.csv").open(encoding="utf-8") as file:
        pairs = list(csv.DictReader(file))
    assert len(pairs) == 3
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as file:
        labels = {row["image"]: row for row in csv.DictReader(file)}
    for pair in pairs:
        assert (tmp_path / pair["image"]).read_bytes() != (tmp_path / pair["partner"]).read_bytes()
        if pair["partner_has_it"] == "1":
            assert labels[pair["image"]][f"AU{pair['au']}"] == "0"


def test_the_command_makes_a_set(tmp_path, capsys):
    words = ["--preset", "disfa-like", "--subjects", "1", "--clips", "1", "--frames", "1", "--size", "64"]
    assert main(["synth", str(tmp_path / "set"), *words]) == 0
    assert json.loads((tmp_path / "set" / "settings.json").read_text(encoding="utf-8"))["preset"] == "disfa-like"
    assert "preset disfa-like" in (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert main(["synth", str(tmp_path / "set"), *words, "--seed", "9"]) == 2
    assert "was started with" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_draws_sheets(tmp_path):
    assert main(["synth", str(tmp_path), "--sheet"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sheet-lower.png", "sheet-upper.png"]


def test_sheets_show_the_aus_of_the_preset(tmp_path, monkeypatch, subjects):
    drawn = []
    monkeypatch.setattr(sheet, "sheet_subjects", lambda seed: subjects[:1])
    monkeypatch.setattr(
        sheet, "draw_sheet", lambda people, au_ids, intensity: drawn.append(au_ids) or np.zeros((2, 2, 3))
    )
    assert main(["synth", str(tmp_path / "wide"), "--sheet"]) == 0
    assert main(["synth", str(tmp_path / "all"), "--sheet", "--preset", "all-aus"]) == 0
    assert main(["synth", str(tmp_path / "disfa"), "--sheet", "--preset", "disfa-like"]) == 0
    assert [len(au_ids) for au_ids in drawn] == [8, 10, 9, 15, 5, 3]
    assert set(drawn[2]) - set(drawn[0]) == {45}
    assert set(drawn[3]) - set(drawn[1]) == {16, 18, 22, 27, 28}


def test_a_sheet_has_a_column_at_rest_and_one_of_each_au(subjects):
    picture = sheet.draw_sheet(subjects[:2], (16, 18), 5, size=64)
    assert picture.shape == (2 * 64, 3 * 64, 3)
    faces = [picture[:64, 64 * column : 64 * column + 64] for column in range(3)]
    assert not any(np.array_equal(one, other) for one, other in itertools.pairwise(faces))


def test_every_present_au_gets_a_mask_of_the_skin_that_it_moves(tmp_path):
    generate(tmp_path, DatasetSettings(preset="wide", subjects=1, clips=2, frames=2, size=64, regions=True))
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wanted = {
        row["image"].replace("frames/", "regions/").replace(".jpg", f"-au{name[2:]}.png")
        for row in rows
        for name in row
        if name.startswith("AU") and name[2:].isdigit() and row[name] == "1"
    }
    found = {str(path.relative_to(tmp_path)) for path in (tmp_path / "regions").rglob("*.png")}
    assert found == wanted
    assert max(cv2.imread(str(tmp_path / name), cv2.IMREAD_GRAYSCALE).max() for name in found) > 100


def test_a_set_of_all_aus_has_their_columns_masks_and_pairs(tmp_path):
    settings = DatasetSettings("all-aus", subjects=1, clips=4, frames=2, size=64, seed=3, pairs=True, regions=True)
    generate(tmp_path, settings)
    manifest = read_manifest(tmp_path / "manifest.csv")
    assert manifest.au_ids == all_au_ids()
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {"AU16_side", "AU45_side", "left_AU16", "exact_AU18", "exact_AU22", "exact_AU27", "exact_AU28"} <= set(
        rows[0]
    )
    for row in rows:
        present = [au_id for au_id in all_au_ids() if row[f"AU{au_id}"] == "1"]
        stem = row["image"].removeprefix("frames/").removesuffix(".jpg")
        masks = {path.name for path in (tmp_path / "regions").glob(f"{stem}-au*.png")}
        assert masks == {f"{Path(stem).name}-au{au_id}.png" for au_id in present}
    new = {au_id for au_id in all_au_ids() if any(row[f"AU{au_id}"] == "1" for row in rows)} - set(DEFAULT_AU_IDS)
    assert len(new) >= 3, new
    with (tmp_path / "pairs.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    assert "| 27 | Mouth Stretch |" in (tmp_path / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["bp4d-like", "disfa-like", "wide", "loose", "wild"])
def test_manifests_of_other_presets_have_no_columns_for_aus_that_they_never_draw(name):
    named = [column for column in columns(preset(name)) if re.search(r"AU(16|18|22|27|28|45)\b", column)]
    assert named == []
    assert "exact_AU17" in columns(preset(name))


def test_the_height_of_a_face_is_in_pixels_that_the_camera_resolved(made):
    with (made / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sharp = [float(row["face_height"]) for row in rows if "low_resolution" not in row["camera"]]
    coarse = [float(row["face_height"]) for row in rows if "low_resolution" in row["camera"]]
    assert all(30 < height < 64 for height in sharp)
    assert all(height < 40 for height in coarse)
