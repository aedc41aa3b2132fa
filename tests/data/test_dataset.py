import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from vlfau.data.dataset import FrameDataset, collate
from vlfau.data.manifest import read_manifest
from vlfau.data.regions import REGION_GRID
from vlfau.data.transforms import Augmentation, AugmentationConfig
from vlfau.errors import ManifestError
from vlfau.facs import AUState
from vlfau.language import Vocabulary, local_description

ROWS = [
    {"gender": "F", "AU12": 1, "AU12_side": "left", "AU25": 0},
    {"gender": "M", "AU12": "", "AU12_side": "", "AU25": 1},
]
VOCABULARY = Vocabulary.for_aus([12, 25])


def dataset(path, *, flip=None, **options):
    augmentation = None if flip is None else Augmentation(AugmentationConfig(flip=flip, cutout=0), crop_size=112)
    sizes = {"crop_size": 112, "aligned_size": 128}
    return FrameDataset(read_manifest(path), VOCABULARY, augmentation=augmentation, **sizes, **options)


def words(sample, index):
    return VOCABULARY.decode(sample.local_captions[index])


def test_labels_masks_and_words_come_from_the_manifest(write_manifest):
    first, second = dataset(write_manifest(ROWS))
    assert first.face.shape == (3, 112, 112)
    assert (first.occurrence.tolist(), first.valid_mask.tolist()) == ([1, 0], [True, True])
    assert (second.occurrence.tolist(), second.valid_mask.tolist()) == ([0, 1], [False, True])
    assert "on the left side" in words(first, 0)
    assert VOCABULARY.decode(first.global_caption).startswith("This woman ")
    assert second.local_captions[0] == []
    assert VOCABULARY.decode(second.global_caption).startswith("This man ")


def test_a_flip_swaps_left_and_right_in_the_words(write_manifest):
    path = write_manifest(ROWS)
    assert "on the right side" in words(dataset(path, flip=1.0)[0], 0)
    assert "on the left side" in words(dataset(path, flip=0.0)[0], 0)


def test_every_epoch_draws_other_faces_and_words_and_the_same_again(write_manifest):
    frames = dataset(write_manifest(ROWS), flip=0.5)
    epochs = []
    for epoch in (0, 1, 2, 3, 0):
        frames.epoch = epoch
        epochs.append(frames[0])
    assert torch.equal(epochs[0].face, epochs[-1].face)
    assert epochs[0].local_captions == epochs[-1].local_captions
    assert len({tuple(sample.local_captions[0]) for sample in epochs}) > 1


def test_without_paraphrases_the_canonical_words_are_taught(write_manifest):
    path = write_manifest(ROWS)
    plain = Augmentation(AugmentationConfig(flip=0, paraphrases=False), crop_size=112)
    frames = FrameDataset(read_manifest(path), VOCABULARY, crop_size=112, aligned_size=128, augmentation=plain)
    assert frames[0].local_captions == dataset(path)[0].local_captions


def test_gender_dropout_says_person_in_its_share_of_captions(write_manifest):
    frames = dataset(write_manifest(ROWS), flip=0.5, gender_dropout=0.3)
    subjects = []
    for frames.epoch in range(200):
        subjects.append(VOCABULARY.decode(frames[0].global_caption).split()[1])
    assert set(subjects) == {"woman", "person"}
    assert 40 <= subjects.count("person") <= 80


def test_a_batch_pads_its_captions_with_the_padding(write_manifest):
    samples = list(dataset(write_manifest(ROWS)))
    batch = collate(samples, pad_id=VOCABULARY.pad_id)
    longest = max(len(caption) for sample in samples for caption in sample.local_captions)
    assert batch.faces.shape == (2, 3, 112, 112)
    assert batch.local_captions.shape == (2, 2, longest)
    assert batch.local_captions[1, 0].unique().tolist() == [VOCABULARY.pad_id]
    for sample, padded in zip(samples, batch.global_captions.tolist(), strict=True):
        assert padded[: len(sample.global_caption)] == sample.global_caption


def test_pictures_in_memory_are_those_on_disk_and_larger_ones_are_shrunk(write_manifest):
    path = write_manifest(ROWS, size=256)
    assert torch.equal(dataset(path, keep_in_memory=True)[0].face, dataset(path)[0].face)


def test_a_picture_that_is_no_aligned_face_is_named(write_manifest):
    with pytest.raises(
        ManifestError,
        match=r"000\.png has 100 x 100 pixels; expected an aligned, square face of at least 128",
    ):
        dataset(write_manifest(ROWS, size=100))[0]
    path = write_manifest(ROWS)
    (path.parent / "001.png").write_bytes(b"not a picture")
    with pytest.raises(ManifestError, match=r"001\.png is not a readable picture .*; .*\.csv names the file"):
        dataset(path)[1]


def test_a_picture_whose_reader_would_start_a_program_is_refused(write_manifest):
    path = write_manifest(ROWS)
    Image.new("RGB", (128, 128)).save(path.parent / "001.png", format="EPS")
    with pytest.raises(ManifestError, match=r"001\.png is not a readable picture .*; .*\.csv names the file"):
        dataset(path)[1]


def test_words_teach_a_trace_where_one_may_show(write_manifest):
    rows = [
        {"AU12": 0, "AU12_intensity": level, "AU25": 0, "AU25_intensity": 0, "occurrence_from": start}
        for level, start in ((1, 2), ("", 2), (0, 2), ("", 1))
    ]
    captions = [VOCABULARY.decode(sample.local_captions[0]) for sample in dataset(write_manifest(rows))]
    absent, trace = (local_description(AUState(12, False, trace=trace)) for trace in (False, True))
    assert captions == [trace, trace, absent, absent]
    whole = [VOCABULARY.decode(sample.global_caption) for sample in dataset(write_manifest(rows))]
    assert ["trace" in text for text in whole] == [True, True, False, False]


def test_intensities_are_taught_as_written_and_unknown_ones_not_at_all(write_manifest):
    rows = [
        {"AU12": 1, "AU12_intensity": 3, "AU25": 0, "AU25_intensity": 1},
        {"AU12": 0, "AU12_intensity": "", "AU25": "", "AU25_intensity": ""},
    ]
    first, second = dataset(write_manifest(rows))
    assert first.intensity.tolist() == [3, 1]  # at DISFA an AU occurs from 2 on
    assert second.intensity.isnan().all()


LANDMARKS = {"AU12": 1, "AU25": 0, "landmark_33_x": 40, "landmark_33_y": 50, "landmark_263_x": 90, "landmark_263_y": 52}


def test_landmarks_are_shares_of_the_crop_and_change_names_in_a_mirror(write_manifest):
    rows = [LANDMARKS, {**LANDMARKS, "landmark_33_x": "", "landmark_263_x": 2}]
    path = write_manifest(rows)
    first, second = dataset(path)
    # The crop of 112 pixels starts at 8; the middle of pixel 40 lies 40.5 pixels from the picture's edge.
    assert first.landmarks.flatten().tolist() == pytest.approx([32.5 / 112, 42.5 / 112, 82.5 / 112, 44.5 / 112])
    assert second.landmarks.isnan().all()  # unknown, and outside of the crop
    whole = {"crop_size": 128, "aligned_size": 128}
    plain = FrameDataset(read_manifest(path), VOCABULARY, **whole)[0].landmarks
    mirror = Augmentation(AugmentationConfig(flip=1, cutout=0), crop_size=128)
    mirrored = FrameDataset(read_manifest(path), VOCABULARY, augmentation=mirror, **whole)[0].landmarks
    torch.testing.assert_close(mirrored, plain.flip(0) * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0]))


def test_a_mirrored_landmark_without_its_partner_is_unknown(write_manifest):
    rows = [{"AU12": 1, "AU25": 0, "landmark_33_x": 60, "landmark_33_y": 50, "landmark_1_x": 60, "landmark_1_y": 70}]
    frames = dataset(write_manifest(rows), flip=1)
    unknown = dict(zip(frames.manifest.landmark_ids, frames[0].landmarks.isnan().all(1).tolist(), strict=True))
    assert unknown == {33: True, 1: False}  # 33 lies at the eye, 1 on the nose


def test_mirroring_needs_no_landmarks(write_manifest):
    assert dataset(write_manifest(ROWS), flip=1)[0].landmarks.shape == (0, 2)


def test_captions_are_empty_where_no_words_are_asked_for(write_manifest):
    sample = dataset(write_manifest(ROWS), words=False)[0]
    assert [list(caption) for caption in (*sample.local_captions, sample.global_caption)] == [[], [], []]


def test_landmarks_shrink_with_their_picture(write_manifest):
    twice = {name: 2 * (at + 0.5) - 0.5 if name.startswith("landmark") else at for name, at in LANDMARKS.items()}
    small = dataset(write_manifest([LANDMARKS], name="small.csv"))[0].landmarks
    large = dataset(write_manifest([twice], size=256, name="large.csv"))[0].landmarks
    torch.testing.assert_close(large, small)


def test_a_manifest_without_landmarks_has_none(write_manifest):
    assert dataset(write_manifest(ROWS))[0].landmarks.shape == (0, 2)


def test_a_face_of_which_too_little_is_known_is_not_described(write_manifest):
    rows = [{"AU12": 0, "AU25": ""}, {"AU12": 1, "AU25": ""}, {"AU12": 0, "AU25": 0}]
    unknown, active, still = dataset(write_manifest(rows))
    assert unknown.global_caption == []
    assert "lip corners" in VOCABULARY.decode(active.global_caption)
    assert len(VOCABULARY.decode(still.global_caption)) > 10


def write_region(folder, name, left, top, right, bottom):
    mask = np.zeros((128, 128), np.uint8)
    mask[top:bottom, left:right] = 255
    (folder / "regions").mkdir(exist_ok=True)
    Image.fromarray(mask).save(folder / "regions" / name)


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_regions_move_with_the_face(write_manifest, flip):
    path = write_manifest(ROWS)
    write_region(path.parent, "000-au12.png", 40, 60, 60, 70)
    frames = dataset(path, flip=flip, regions=True)
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[60:70, 40:60] = 255
    Image.fromarray(picture).save(path.parent / "000.png")
    sample = frames[0]
    face = cv2.resize(sample.face[0].numpy(), (REGION_GRID, REGION_GRID), interpolation=cv2.INTER_AREA)
    assert (face > 200).sum() > 10
    np.testing.assert_array_equal(sample.regions[0].numpy(), face)


def test_regions_are_empty_without_a_mask_and_absent_if_not_wanted(write_manifest):
    path = write_manifest(ROWS)
    write_region(path.parent, "000-au25.png", 40, 60, 60, 70)  # AU 25 is inactive there
    batch = collate(list(dataset(path, regions=True)), pad_id=VOCABULARY.pad_id)
    assert batch.regions.shape == (2, 2, REGION_GRID, REGION_GRID)
    assert not batch.regions.any()
    assert dataset(path)[0].regions.numel() == 0
