import numpy as np
import pytest
from PIL import Image

from vlfau.errors import ImageError
from vlfau.media.crops import read_crop, read_mask


@pytest.mark.parametrize(("side", "reduction"), [(64, 1.0), (96, 1.5)])
def test_a_crop_is_read_as_pillow_reads_it(tmp_path, side, reduction):
    rng = np.random.default_rng(0)
    path = tmp_path / "face.jpg"
    Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).save(path, quality=95)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS))
    crop = read_crop(path, 64)
    assert np.array_equal(crop.pixels, expected)
    assert crop.reduction == reduction


def test_a_mask_is_reduced_to_means(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(np.repeat(np.array([[0, 0, 200, 100]], np.uint8), 4, 0)).save(path)
    assert read_mask(path, 2).tolist() == [[0, 150], [0, 150]]


@pytest.mark.parametrize("read", [read_crop, read_mask])
def test_what_is_not_a_square_of_the_size_is_refused(tmp_path, read):
    path = tmp_path / "face.png"
    for size in ((40, 40), (64, 70)):
        Image.new("L", size).save(path)
        with pytest.raises(ImageError, match=rf"face\.png has {size[0]} x {size[1]} pixels; expected .* 64 x 64"):
            read(path, 64)
    path.write_bytes(b"text")
    with pytest.raises(ImageError, match=r"face\.png is not a readable picture"):
        read(path, 64)
    with pytest.raises(ImageError, match=r"gone\.png is not a readable picture"):
        read(tmp_path / "gone.png", 64)
