import csv

import pytest

from vlfau.data.folds import hold_out, never_active
from vlfau.data.manifest import manifest_digest, read_manifest
from vlfau.errors import ManifestError


@pytest.fixture
def manifest(write_manifest):
    """Twenty people with two frames each; AU 12 is shown by all, AU 9 by two of them only."""
    rows = [
        {"subject": f"S{person:02d}", "fold": 1, "AU12": frame, "AU9": int(person in {3, 11} and frame), "AU1": 0}
        for person in range(20)
        for frame in (0, 1)
    ]
    return read_manifest(write_manifest(rows, pictures=False), pictures=False)


def people(manifest):
    return {frame.subject_id for frame in manifest.frames}


@pytest.mark.parametrize("seed", range(5))
def test_whole_people_are_held_out_and_every_au_is_seen_on_both_sides(manifest, seed):
    train, held = hold_out(manifest, share=0.15, seed=seed)
    assert (len(people(train)), len(people(held))) == (17, 3)
    assert not people(train) & people(held)
    assert sorted([*train.frames, *held.frames], key=str) == sorted(manifest.frames, key=str)
    assert never_active(train) == never_active(held) == (1,)  # which nobody shows


def test_who_is_held_out_depends_on_the_seed_alone(manifest):
    again = [hold_out(manifest, share=0.15, seed=seed)[1] for seed in (0, 0, 1, 2, 3)]
    assert again[0] == again[1]
    assert len({frozenset(people(held)) for held in again}) > 1


def test_one_person_at_least_is_held_out_and_one_at_least_trains(manifest):
    assert len(people(hold_out(manifest, share=0.001, seed=0)[1])) == 1
    assert len(people(hold_out(manifest, share=0.999, seed=0)[0])) == 1


def test_one_person_alone_can_not_be_held_out(write_manifest):
    manifest = read_manifest(write_manifest([{"AU12": 0}, {"AU12": 1}]))
    with pytest.raises(ManifestError, match=r"has 1 person to train on.*set run\.epoch_choice to last"):
        hold_out(manifest, share=0.15, seed=0)


def test_an_au_that_nobody_annotated_is_never_active(write_manifest):
    manifest = read_manifest(write_manifest([{"AU1": "", "AU2": 0, "AU12": 1}, {"AU1": "", "AU2": 0, "AU12": ""}]))
    assert never_active(manifest) == (1, 2)


def rewritten(path, change):
    """Write a manifest again with one cell changed."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        change(row)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return manifest_digest(read_manifest(path))


@pytest.mark.parametrize(
    "change",
    [
        {"AU12": "0", "AU12_intensity": "0", "AU12_side": ""},
        {"AU12_intensity": "4"},
        {"AU12_side": "left"},
        {"subject": "T"},
        {"fold": "2"},
        {"gender": "F"},
        {"landmark_33_x": "51"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_changes_with_everything_that_training_reads(write_manifest, change):
    row = {"AU12": 1, "AU12_intensity": 3, "AU12_side": "right", "fold": 1, "gender": "M"}
    path = write_manifest([row | {"landmark_33_x": 50, "landmark_33_y": 40}])
    before = manifest_digest(read_manifest(path))
    assert rewritten(path, lambda row: row.update(change)) != before


def test_the_digest_depends_neither_on_the_place_nor_on_other_columns(write_manifest, tmp_path):
    path = write_manifest([{"AU12": 1, "note": "a"}, {"AU12": 0, "note": "b"}])
    before = manifest_digest(read_manifest(path))
    (tmp_path / "elsewhere").mkdir()
    for file in [*tmp_path.glob("*.png"), path]:
        file.rename(tmp_path / "elsewhere" / file.name)
    assert rewritten(tmp_path / "elsewhere" / path.name, lambda row: row.update(note="c")) == before
    other = manifest_digest(read_manifest(tmp_path / "elsewhere" / path.name, [12]))
    assert other == before
