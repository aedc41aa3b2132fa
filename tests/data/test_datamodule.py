import time

import cv2
import numpy as np
import pytest

from vlfau.data.datamodule import FaceDataModule
from vlfau.data.transforms import AugmentationConfig


@pytest.fixture
def _threads_of_opencv():
    """Let OpenCV's threads wait for work, as after a picture was aligned in this process."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    pixels = np.zeros((2000, 2000, 3), np.float32)
    for _ in range(5):
        cv2.warpAffine(pixels, np.eye(2, 3), (2000, 2000))
    time.sleep(1)
    yield
    cv2.setNumThreads(before)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("_threads_of_opencv")
def test_workers_start_after_this_process_has_used_opencv(write_manifest):
    data = FaceDataModule(
        manifest=write_manifest([{"AU12": 0}, {"AU12": 1}], size=64),
        au_ids=None,
        fold=None,
        aligned_size=64,
        crop_size=48,
        batch_size=2,
        num_workers=1,
        augmentation=AugmentationConfig(tilt=5),
        gender_dropout=0,
        seed=0,
        keep_in_memory=False,
    )
    for loader in (data.train_dataloader(), data.val_dataloader()):
        assert [batch.faces.shape for batch in loader] == [(2, 3, 48, 48)]
