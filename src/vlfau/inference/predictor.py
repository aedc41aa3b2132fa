"""From a picture to action units in numbers and words."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import BundleError, ConfigError, ImageError
from vlfau.faces import Face, FaceFinder, align_face
from vlfau.files.workers import MAX_WORKERS, check_number
from vlfau.inference.au_scores import AUScores, Captions, sigmoid
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle, load_bundle
from vlfau.inference.captioner import Captioner, Describe
from vlfau.inference.results import CropResult, FaceResult
from vlfau.inference.runtimes import Runtime, face_providers, open_backend
from vlfau.media.images import Picture, as_picture

__all__ = ["Predictor", "face_result"]

# Faces that go through the network at once: enough to be fast, few enough to fit in memory.
_BATCH_SIZE: Final = 16
MAX_BEAM_SIZE: Final = 64
"""From some ten wordings on the best one does not change, and each takes memory."""


class Predictor:
    """Finds faces and says which AUs act on them.

    Args:
        bundle: A bundle, its folder or its name, or the folder of a checkpoint (extra `train`); None takes the bundle
            that vlfau brings.
        threads: Threads that a network may use; with a checkpoint, that torch may use in this process.
        describe: Which AUs get words: the active ones, every one, or none (and no global text either).
        beam_size: Hypotheses of the caption search; 1 is fastest.
        gendered: Whether the global text may guess a gender; by default it speaks of "this person".
        consistent: Whether the words must agree with the states: of the texts that the model learned only those that
            state them are searched. Without effect on a bundle with a `words_warning`.
        max_faces: Keep the largest faces of a picture only; None keeps all.
        runtime: What computes the networks, see `vlfau.inference.runtimes`; `auto` takes the fastest that this machine
            has. A checkpoint is computed by torch, where the runtime says: `onnxruntime` and `cpu` mean the processor.
        device: Where torch computes a checkpoint, such as "cuda:1"; None follows from the runtime.
        backend: An opened model, to share it; None opens one on the runtime.

    Raises:
        BundleError: The model is neither a bundle nor a checkpoint, or damaged.
        CheckpointError: The checkpoint is damaged.
        ConfigError: Another argument is out of range, or the machine cannot run the runtime.
        MissingExtraError: The runtime is not installed.
    """

    def __init__(
        self,
        bundle: Bundle | str | Path | None = None,
        *,
        threads: int = 1,
        describe: Describe = "active",
        beam_size: int = 3,
        gendered: bool = False,
        consistent: bool = False,
        max_faces: int | None = None,
        runtime: Runtime = "onnxruntime",
        device: str | None = None,
        backend: Backend | None = None,
    ) -> None:
        check_number("threads", threads, MAX_WORKERS)
        check_number("beam_size", beam_size, MAX_BEAM_SIZE)
        if max_faces is not None and max_faces < 1:
            raise ConfigError(f"max_faces is {max_faces}; give a number of 1 or more")
        if describe not in get_args(Describe):
            raise ConfigError(f"describe is {describe!r}; give one of {', '.join(get_args(Describe))}")
        self.bundle = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
        self.backend: Backend = backend or open_backend(self.bundle, runtime, threads=threads, device=device)
        self.threads, self.max_faces = threads, max_faces
        self._face_providers = face_providers(runtime)
        self._captioner = Captioner(
            self.bundle, self.backend, describe=describe, beam_size=beam_size, gendered=gendered, consistent=consistent
        )

    @property
    def au_ids(self) -> tuple[int, ...]:
        """The AUs that the model knows, in its order."""
        return self.bundle.info.au_ids

    def predict(
        self, image: str | Path | Picture | NDArray[np.uint8], *, describe: Describe | None = None
    ) -> list[FaceResult]:
        """Judge every face of a picture.

        Args:
            image: A file, a picture that was read before, or pixels: (H, W, 3) uint8 RGB.
            describe: Replaces the predictor's own choice of AUs.

        Returns:
            The faces, largest first; none if no face was found.

        Raises:
            ImageError: The file is no readable picture, or the pixels are of another kind.
        """
        picture = as_picture(image)
        faces = self.finder.find(picture.pixels)
        crops = self.align(picture.pixels, faces)
        return [
            face_result(face, crop, result, reduction=picture.reduction)
            for face, crop, result in zip(faces, crops, self.predict_crops(crops, describe=describe), strict=True)
        ]

    def predict_crops(self, crops: NDArray[np.uint8], *, describe: Describe | None = None) -> list[CropResult]:
        """Judge faces that are aligned already, as by `align_face` with the bundle's geometry.

        Args:
            crops: (B, S, S, 3) uint8 RGB.
            describe: Replaces the predictor's own choice of AUs.

        Raises:
            ImageError: The pixels are of another kind or size.
        """
        results: list[CropResult] = []
        for start in range(0, len(crops), _BATCH_SIZE):
            scores = self.score_crops(crops[start : start + _BATCH_SIZE])
            words = self.describe(scores, range(len(scores.au_states)), describe)
            results += [scores.result(row, each) for row, each in enumerate(words)]
        return results

    def align(self, pixels: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.uint8]:
        """Cut faces out for the network.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            faces: B of them, as the face finder gives them.

        Returns:
            (B, S, S, 3) uint8 RGB.
        """
        geometry = self.bundle.info.crop
        crops = [align_face(pixels, face.landmarks_xy, geometry) for face in faces]
        return np.stack(crops) if crops else np.zeros((0, geometry.crop_size, geometry.crop_size, 3), np.uint8)

    def score_crops(self, crops: NDArray[np.uint8]) -> AUScores:
        """Judge aligned faces in numbers, all in one batch.

        Args:
            crops: (B, S, S, 3) uint8 RGB, as by `align`.

        Raises:
            ImageError: The pixels are of another kind or size.
        """
        size = self.bundle.info.crop.crop_size
        if crops.dtype != np.uint8 or crops.shape[1:] != (size, size, 3):
            raise ImageError(
                f"expected aligned faces as (B, {size}, {size}, 3) uint8 RGB, got {crops.shape} {crops.dtype}"
                "; align them with the bundle's geometry"
            )
        info = self.bundle.info
        vision = self.backend.encode(np.ascontiguousarray(crops))
        batch, num_aus = len(crops), len(info.au_ids)
        for scores in (vision.au_logits, vision.au_intensities):
            if scores is not None and (scores.shape != (batch, num_aus) or not np.isfinite(scores).all()):
                raise BundleError(
                    f"bundle {self.bundle.folder} gives no finite number for each of {num_aus} AUs of {batch} "
                    f"faces, but an array {scores.shape}; export it anew"
                )
        au_probs = sigmoid(vision.au_logits)  # (B, N)
        au_states = au_probs >= np.array(info.thresholds)
        return AUScores(info.au_ids, au_probs, au_states, vision)

    def describe(self, scores: AUScores, rows: Sequence[int], describe: Describe | None = None) -> list[Captions]:
        """Put some of the faces of a scores in words.

        Args:
            scores: As by `score_crops`.
            rows: Which faces.
            describe: Replaces the predictor's own choice of AUs.
        """
        chosen, vision = list(rows), scores.vision
        au_states = scores.au_states[chosen]
        local_captions = self._captioner.describe_aus(vision.au_features[chosen], au_states, describe)
        global_captions = self._captioner.describe_faces(vision.stem_features[chosen], au_states, describe)
        return [Captions(tuple(aus), face) for aus, face in zip(local_captions, global_captions, strict=True)]

    @cached_property
    def finder(self) -> FaceFinder:
        """The face finder, opened when it is first needed."""
        return FaceFinder(threads=self.threads, max_faces=self.max_faces, providers=self._face_providers)


def face_result(
    face: Face, crop: NDArray[np.uint8], result: CropResult, *, reduction: float = 1.0, face_id: int | None = None
) -> FaceResult:
    """Say of a face where it is and what its crop shows.

    Args:
        face: In pixels of the picture that was looked at.
        crop: (S, S, 3) uint8 RGB.
        result: What the network says of the crop.
        reduction: Pixels of the file along one pixel of the picture.
        face_id: The number of the face in its video.
    """
    return FaceResult(
        aus=result.aus,
        global_caption=result.global_caption,
        face_box_xyxy=_scaled_box(face, reduction),
        landmarks_xy=np.asarray(face.landmarks_xy, np.float32) * np.float32(reduction),
        score=float(face.score),
        pose=face.pose,
        crop=crop,
        face_id=face_id,
    )


def _scaled_box(face: Face, reduction: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) * reduction for value in face.face_box_xyxy)
    return left, top, right, bottom
