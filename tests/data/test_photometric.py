import numpy as np
import pytest

from vlfau.data.photometric import add_noise, lose_colour, lose_detail, restyle, retone

RAMP = np.stack([*np.mgrid[:128, :128], np.full((128, 128), 60)], axis=2).astype(np.uint8)


def test_a_restyled_face_keeps_its_brightness_and_its_shapes():
    face = np.zeros((128, 128, 3), np.uint8)
    face[40:90, 30:100] = (180, 140, 120)
    for seed in range(10):
        styled = restyle(face, np.random.default_rng(seed)).astype(float)
        assert styled.mean() == pytest.approx(face.mean(), abs=25)
        inside, outside = styled[45:85, 35:95].reshape(-1, 3), styled[:35].reshape(-1, 3)
        assert inside.std(0).max() < 2
        assert outside.std(0).max() < 2
        assert np.abs(inside.mean(0) - outside.mean(0)).max() > 40


def test_gamma_and_gains_move_greys_between_black_and_white_only():
    face = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    bent = retone(face, gamma=2.0, gains=np.ones(3), contrast=1.0)
    assert (bent[0, 0] == 0).all()
    assert (bent[-1, -1] == 255).all()
    assert bent[8, 0].tolist() == [64] * 3
    assert retone(face, gamma=1.0, gains=np.array([1.0, 0.5, 1.0]), contrast=1.0)[8, 0].tolist() == [128, 64, 128]


def test_compression_at_a_low_quality_costs_more():
    coarse, fine = (lose_detail(RAMP, 1.0, quality=quality).astype(int) for quality in (5, 95))
    assert np.abs(coarse - RAMP).mean() > 3 * np.abs(fine - RAMP).mean()
    assert np.abs(fine - RAMP).mean() < 3


@pytest.mark.parametrize("size", [160, 700])
def test_noise_has_the_standard_deviation_asked_for_at_any_size(size):
    noise = add_noise(np.full((size, size, 3), 128, np.uint8), np.random.default_rng(0), 10.0) - 128.0
    assert noise.mean() == pytest.approx(0, abs=0.2)
    assert noise.std() == pytest.approx(10, rel=0.02)


def test_two_faces_get_other_noise():
    rng, face = np.random.default_rng(0), np.full((64, 64, 3), 128, np.uint8)
    assert not np.array_equal(add_noise(face, rng, 10.0), add_noise(face, rng, 10.0))


@pytest.mark.parametrize(
    "change",
    [
        lose_colour,
        lambda face: restyle(face, np.random.default_rng(1)),
        lambda face: retone(face, gamma=0.7, gains=np.ones(3), contrast=1.2),
        lambda face: lose_detail(face, 0.4, quality=50),
        lambda face: add_noise(face, np.random.default_rng(1), 5.0),
    ],
)
def test_a_mirrored_view_is_changed_like_its_copy(change):
    assert np.array_equal(change(RAMP[:, ::-1]), change(RAMP[:, ::-1].copy()))
