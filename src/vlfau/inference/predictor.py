"""From a picture to action units in numbers and words."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self, TypeGuard, cast, get_args, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.errors import BundleError, ConfigError, ImageError
from vlfau.faces import Face, FaceFinder
from vlfau.files.workers import MAX_WORKERS, check_number, is_whole_number
from vlfau.inference.au_scores import AUScores, Captions, sigmoid
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle, load_bundle
from vlfau.inference.captioner import Captioner, Describe
from vlfau.inference.found import FoundPicture, align_faces
from vlfau.inference.results import CropResult, PictureResult
from vlfau.inference.runtimes import Runtime, face_providers, open_backend
from vlfau.media.images import Picture
from vlfau.media.pixels import PictureInput, TensorLike

__all__ = ["Predictor"]

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
            state them are searched; otherwise all of them, and the words may contradict the states. Without effect
            on a bundle with a `words_warning`.
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
        consistent: bool = True,
        max_faces: int | None = None,
        runtime: Runtime = "onnxruntime",
        device: str | None = None,
        backend: Backend | None = None,
    ) -> None:
        check_number("threads", threads, MAX_WORKERS)
        check_number("beam_size", beam_size, MAX_BEAM_SIZE)
        if max_faces is not None and not (is_whole_number(max_faces) and max_faces >= 1):
            raise ConfigError(f"max_faces is {max_faces!r}; give a whole number of 1 or more, or None for all")
        _check_describe(describe)
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

    @classmethod
    def from_pretrained(cls, model: str | os.PathLike[str], **options: Any) -> Self:
        """Open a model that lies on this machine.

        Nothing is downloaded. A repository of the Hugging Face hub is fetched first, as with
        `hf download NAME --local-dir FOLDER`.

        Args:
            model: The folder of a bundle, or its name, as `vlfau info` lists them.
            options: As for `Predictor`.

        Raises:
            BundleError: It is not a bundle, damaged, or a web address.
        """
        return cls(Path(model) if isinstance(model, os.PathLike) else model, **options)

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is a sequence of str, too
        self,
        images: str | os.PathLike[str] | Picture | Image.Image | NDArray[np.uint8],
        *,
        names: str | None = None,
        describe: Describe | None = None,
    ) -> PictureResult: ...

    @overload
    def predict(
        self,
        images: Sequence[PictureInput],
        *,
        names: Sequence[str] | None = None,
        describe: Describe | None = None,
    ) -> list[PictureResult]: ...

    @overload
    def predict(
        self,
        images: TensorLike,
        *,
        names: str | Sequence[str] | None = None,
        describe: Describe | None = None,
    ) -> PictureResult | list[PictureResult]: ...

    def predict(
        self,
        images: PictureInput | Sequence[PictureInput],
        *,
        names: str | Sequence[str] | None = None,
        describe: Describe | None = None,
    ) -> PictureResult | list[PictureResult]:
        """Say of every face of a picture, or of each of several pictures, which AUs act on it.

        A result keeps the pixels of a picture that was given as pixels, and of a file only its path. The faces of
        several pictures go through the network together, which is faster.

        Args:
            images: One picture: a file; a PIL picture, which is turned as its EXIF orientation says; an array, (H, W,
                3) uint8 RGB or (H, W) uint8 grey; a torch tensor, (C, H, W) uint8 or floats from 0 to 1; or a picture
                that was read before. Or several: a list of any of these, or a tensor (B, C, H, W).
            names: What results call the pictures in place of their path, one for each; without it, pixels have no name.
            describe: Replaces the predictor's own choice of AUs.

        Returns:
            The result of one picture, a sequence of its faces, the largest first and empty if none was found. Of
            several pictures a list of them, in order.

        Raises:
            ImageError: A file is not a readable picture, or pixels are of another kind; of several pictures, the first
                bad one ends the call, and the message says which it is.
            ConfigError: There are not as many names as pictures, or there is no such choice of AUs.
        """
        if _are_several(images):
            pictures = list(images)
            return list(self._results(pictures, _checked_names(names, len(pictures)), describe))
        if names is not None and not isinstance(names, str):
            raise ConfigError(f"names is {names!r} for one picture; give one name")
        found = self._find(cast("PictureInput", images), names)  # It refuses anything else.
        (result,) = self._judged([found], describe)
        return result

    def predict_many(
        self, images: Iterable[PictureInput], *, describe: Describe | None = None
    ) -> Iterator[PictureResult]:
        """Predict any number of pictures one after the other, at constant memory.

        Up to 16 pictures are read ahead, so that their faces go through the network together.

        Args:
            images: Pictures as for `predict`, such as `Path("photos").glob("*.jpg")`.
            describe: Replaces the predictor's own choice of AUs.

        Yields:
            The results, in order.

        Raises:
            ImageError: A picture is not readable, or of another kind; the results of those before it come first.
            ConfigError: There is no such choice of AUs.
        """
        # The characters, bytes or rows of some are no pictures.
        if isinstance(images, str | bytes | Picture | np.ndarray) or not isinstance(images, Iterable):
            raise ImageError(
                f"expected several pictures, such as a list, got one {type(images).__name__}; use predict for it"
            )
        return self._results(images, None, describe)

    def predict_crops(self, crops: NDArray[np.uint8], *, describe: Describe | None = None) -> list[CropResult]:
        """Judge faces that are aligned already, as by `align_face` with the bundle's geometry.

        Args:
            crops: (B, S, S, 3) uint8 RGB.
            describe: Replaces the predictor's own choice of AUs.

        Raises:
            ImageError: The pixels are of another kind or size.
        """
        _check_describe(describe)
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
        return align_faces(pixels, faces, self.bundle.info.crop)

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
                    f"{self.bundle.folder} gives no finite number for each of {num_aus} AUs of {batch} faces (array "
                    f"{scores.shape}); export the bundle anew, or train the checkpoint again"
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

    def _results(
        self, images: Iterable[PictureInput], names: Sequence[str] | None, describe: Describe | None
    ) -> Iterator[PictureResult]:
        """Yield the result of each picture; the faces of a few at a time go through the network together."""
        found: list[FoundPicture] = []
        for index, image in enumerate(images):
            try:
                found.append(self._find(image, None if names is None else names[index]))
            except ImageError as error:
                yield from self._judged(found, describe)
                if isinstance(image, str | os.PathLike):
                    raise
                raise ImageError(f"images[{index}]: {error}") from None
            if len(found) >= _BATCH_SIZE or sum(len(each.crops) for each in found) >= _BATCH_SIZE:
                yield from self._judged(found, describe)
                found = []
        yield from self._judged(found, describe)

    def _find(self, image: PictureInput, name: str | None) -> FoundPicture:
        return FoundPicture.of(image, self.finder, self.bundle.info.crop, name=name)

    def _judged(self, found: Sequence[FoundPicture], describe: Describe | None) -> Iterator[PictureResult]:
        """Yield the results of pictures whose faces are found."""
        if found:
            crops = np.concatenate([each.crops for each in found])
            crop_results = iter(self.predict_crops(crops, describe=describe))
            for each in found:
                yield each.result(crop_results, self.bundle.info)

    @cached_property
    def finder(self) -> FaceFinder:
        """The face finder, opened when it is first needed."""
        return FaceFinder(threads=self.threads, max_faces=self.max_faces, providers=self._face_providers)


def _are_several(images: object) -> TypeGuard[Iterable[PictureInput]]:
    """Say whether several pictures are given.

    Raises:
        ImageError: It is an iterator, which may never end.
    """
    if isinstance(images, Iterator) and not hasattr(images, "read"):
        raise ImageError(
            f"expected a picture or a list of them, got {type(images).__name__}; make a list of it, or use "
            "predict_many, which yields one result after the other"
        )
    if isinstance(images, TensorLike):
        return images.ndim == 4
    return isinstance(images, Sequence) and not isinstance(images, str | bytes | bytearray | memoryview)


def _check_describe(describe: Describe | None) -> None:
    if describe is not None and describe not in get_args(Describe):
        raise ConfigError(f"describe is {describe!r}; give one of {', '.join(get_args(Describe))}")


def _checked_names(names: str | Iterable[str] | None, count: int) -> Sequence[str] | None:
    if names is None:
        return None
    given = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else None
    if given is None or len(given) != count or not all(isinstance(name, str) for name in given):
        several = "1 picture" if count == 1 else f"{count} pictures"
        raise ConfigError(f"names is {names!r} for {several}; give a list with one name for each, as text")
    return given
