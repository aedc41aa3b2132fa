"""From pictures to action units and captions."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self, TypeGuard, cast, get_args, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.errors import BundleError, ConfigError, ImageError
from vlfau.faces import Face, FaceFinder, FaceGeometry, FaceReader
from vlfau.facs import AUState
from vlfau.files.workers import MAX_WORKERS, check_number, is_whole_number
from vlfau.inference.au_scores import AUScores, Captions, sigmoid
from vlfau.inference.backend import Backend, GraphBackend
from vlfau.inference.bundle import Bundle, load_bundle
from vlfau.inference.captioner import Captioner, Describe
from vlfau.inference.found import FoundPicture, align_faces, face_geometries
from vlfau.inference.results import CropResult, PictureResult
from vlfau.inference.runtimes import Runtime, face_providers, open_backend
from vlfau.media.images import Picture
from vlfau.media.pixels import PictureInput, TensorLike

__all__ = ["Predictor"]

# Faces per batch: enough to be fast, few enough to fit in memory.
_BATCH_SIZE: Final = 16
MAX_BEAM_SIZE: Final = 64
"""Beams larger than about ten do not change the best caption, and each hypothesis takes memory."""


class Predictor:
    """Detects faces, predicts their AUs and describes them.

    Args:
        bundle: A bundle, its folder or its name, or the folder of a checkpoint (extra `train`); None is the default
            model.
        threads: Number of threads per network; for a checkpoint, of torch in this process.
        describe: Which AUs get captions: the active ones, every one, or none (and no global caption either).
        beam_size: Beam size of the search for free captions; 1 is fastest.
        gendered: Whether the global caption may guess a gender; by default it says "this person".
        consistent: Whether captions must agree with the predicted states, degrees and sides: the decoder chooses among
            the learned texts of an AU that do, and a note on the face is composed from them. Otherwise captions are
            searched freely, and may contradict the numbers. Without effect on a bundle with a `words_warning`.
        max_faces: Maximum number of faces per picture; the largest are kept. None keeps all.
        gaze: Whether to read the irises, too, and estimate where faces look; a second mesh takes about 5 ms per face.
        runtime: Inference runtime, see `vlfau.inference.runtimes`; `auto` selects the fastest on this machine. A
            checkpoint always runs on torch, and the runtime selects the device: `onnxruntime` and `cpu` mean the CPU.
        device: Torch device for a checkpoint, such as "cuda:1"; None derives it from the runtime.
        backend: A loaded model to share; None loads one on the runtime.

    Raises:
        BundleError: The model is neither a bundle nor a checkpoint, or damaged.
        CheckpointError: The checkpoint is damaged.
        ConfigError: Another argument is out of range, or this machine does not support the runtime.
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
        gaze: bool = False,
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
        self._reader = FaceReader(threads=threads) if gaze else None
        self._face_providers = face_providers(runtime)
        self._captioner = Captioner(
            self.bundle, self.backend, describe=describe, beam_size=beam_size, gendered=gendered, consistent=consistent
        )

    @property
    def au_ids(self) -> tuple[int, ...]:
        """FACS numbers of the model's AUs, in its order."""
        return self.bundle.info.au_ids

    def told(self, states: Sequence[AUState]) -> tuple[AUState, ...]:
        """Return what captions depend on; see `Captioner.told`."""
        return self._captioner.told(states)

    def open_ahead(self) -> None:
        """Load the network in another thread; without this call, that begins when the first face is looked for."""
        if isinstance(self.backend, GraphBackend):
            self.backend.open_ahead()

    @classmethod
    def from_pretrained(cls, model: str | os.PathLike[str], **options: Any) -> Self:
        """Load a model from this machine.

        Nothing is downloaded. Download a repository of the Hugging Face hub first, for example with `hf download NAME
        --local-dir FOLDER`.

        Args:
            model: Folder of a bundle or a checkpoint, or the name of a bundle, as listed by `vlfau models`.
            options: As for `Predictor`.

        Raises:
            BundleError: It is neither a bundle nor a checkpoint, is damaged, or is a web address.
        """
        return cls(Path(model) if isinstance(model, os.PathLike) else model, **options)

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is also a sequence of str
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
        """Predict the AUs of every face in one or several pictures.

        The result of a file keeps its path; the result of pixels keeps the pixels. The faces of several pictures are
        processed in batches, which is faster.

        Args:
            images: One picture: a file; a PIL picture, which is turned as its EXIF orientation says; an array, (H, W,
                3) uint8 RGB or (H, W) uint8 grey; a torch tensor, (C, H, W) uint8 or floats from 0 to 1; or the result
                of `vlfau.read_image`. Or several: a list of any of these, or a tensor (B, C, H, W).
            names: Names to use in results instead of paths, one per picture; without them, pixels have no name.
            describe: Overrides the predictor's own setting.

        Returns:
            The result of one picture, a sequence of its faces, largest first and empty if none was found. For several
            pictures, a list of results, in order.

        Raises:
            ImageError: A file is not a readable picture, or pixels have the wrong type. Of several pictures, the first
                bad one ends the call, and the message names it.
            ConfigError: The numbers of names and pictures differ, or `describe` is unknown.
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
        """Predict any number of pictures in constant memory.

        Up to 16 pictures are read ahead, so that their faces are processed in batches.

        Args:
            images: Pictures as for `predict`, such as `Path("photos").glob("*.jpg")`.
            describe: Overrides the predictor's own setting.

        Yields:
            The results, in order.

        Raises:
            ImageError: A picture is not readable or has the wrong type; the results of earlier pictures are yielded
                first.
            ConfigError: `describe` is unknown.
        """
        # Iterable, but not over pictures.
        if isinstance(images, str | bytes | Picture | np.ndarray) or not isinstance(images, Iterable):
            raise ImageError(
                f"expected several pictures, such as a list, got one {type(images).__name__}; use predict for it"
            )
        return self._results(images, None, describe)

    def predict_crops(self, crops: NDArray[np.uint8], *, describe: Describe | None = None) -> list[CropResult]:
        """Predict faces that are already aligned, as by `align_face` with the bundle's geometry.

        Args:
            crops: (B, S, S, 3) uint8 RGB.
            describe: Overrides the predictor's own setting.

        Raises:
            ImageError: The pixels have the wrong type or size.
        """
        _check_describe(describe)
        self._check_crops(crops)
        results: list[CropResult] = []
        for start in range(0, len(crops), _BATCH_SIZE):
            scores = self.score_crops(crops[start : start + _BATCH_SIZE])
            words = self.describe(scores, range(len(scores.au_states)), describe)
            results += [scores.result(row, each) for row, each in enumerate(words)]
        return results

    def align(self, pixels: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.uint8]:
        """Align and crop faces for the network.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            faces: B faces, as detected by the face finder.

        Returns:
            (B, S, S, 3) uint8 RGB.
        """
        return align_faces(pixels, faces, self.bundle.info.crop)

    def geometries(self, pixels: NDArray[np.uint8], faces: Sequence[Face]) -> list[FaceGeometry]:
        """Estimate where heads are and, if the predictor was made with `gaze`, where their eyes look.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            faces: As detected by the face finder.
        """
        return face_geometries(pixels, faces, self._reader)

    def score_crops(self, crops: NDArray[np.uint8]) -> AUScores:
        """Predict the AUs of aligned faces in one batch, without captions.

        Args:
            crops: (B, S, S, 3) uint8 RGB, as returned by `align`.

        Raises:
            ImageError: The pixels have the wrong type or size.
        """
        self._check_crops(crops)
        info = self.bundle.info
        vision = self.backend.encode(np.ascontiguousarray(crops))
        batch, num_aus = len(crops), len(info.au_ids)
        for scores in (vision.au_logits, vision.au_intensities):
            if scores is not None and (scores.shape != (batch, num_aus) or not np.isfinite(scores).all()):
                raise BundleError(
                    f"{self.bundle.folder} returned scores {scores.shape}, expected finite numbers ({batch}, {num_aus})"
                    "; export the bundle again, or train the checkpoint again"
                )
        au_probs = sigmoid(vision.au_logits)  # (B, N)
        au_states = au_probs >= np.array(info.thresholds)
        return AUScores(info.au_ids, au_probs, au_states, info.thresholds, vision)

    def _check_crops(self, crops: NDArray[np.uint8]) -> None:
        size = self.bundle.info.crop.crop_size
        expected = f"expected aligned faces as one array (B, {size}, {size}, 3) uint8 RGB"
        if not isinstance(crops, np.ndarray):
            raise ImageError(f"{expected}, got {type(crops).__name__}; join several by numpy.stack")
        if crops.dtype != np.uint8 or crops.shape[1:] != (size, size, 3):
            raise ImageError(f"{expected}, got {crops.shape} {crops.dtype}; align them with the bundle's geometry")

    def describe(self, scores: AUScores, rows: Sequence[int], describe: Describe | None = None) -> list[Captions]:
        """Add captions to some of the scored faces.

        Args:
            scores: As returned by `score_crops`.
            rows: Indices of the faces.
            describe: Overrides the predictor's own setting.
        """
        chosen, vision = list(rows), scores.vision
        if not chosen or (describe or self._captioner.describe) == "never":
            return [Captions((None,) * len(scores.au_ids), None) for _ in chosen]
        states, graded = [scores.states(row) for row in chosen], vision.au_intensities is not None
        local_captions = self._captioner.describe_aus(vision.au_features[chosen], states, describe, graded=graded)
        global_captions = self._captioner.describe_faces(vision.stem_features[chosen], states, describe)
        return [Captions(tuple(aus), face) for aus, face in zip(local_captions, global_captions, strict=True)]

    def _results(
        self, images: Iterable[PictureInput], names: Sequence[str] | None, describe: Describe | None
    ) -> Iterator[PictureResult]:
        """Yield the result of each picture; the faces of a few pictures at a time are processed in batches."""
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
        return FoundPicture.of(image, self.finder, self.bundle.info.crop, name=name, reader=self._reader)

    def _judged(self, found: Sequence[FoundPicture], describe: Describe | None) -> Iterator[PictureResult]:
        """Yield the results of pictures with detected faces."""
        if found:
            crops = np.concatenate([each.crops for each in found])
            crop_results = iter(self.predict_crops(crops, describe=describe))
            for each in found:
                yield each.result(crop_results, self.bundle.info)

    @cached_property
    def finder(self) -> FaceFinder:
        """The face finder, loaded when first used, while another thread loads the network that comes next."""
        self.open_ahead()
        return FaceFinder(threads=self.threads, max_faces=self.max_faces, providers=self._face_providers)


def _are_several(images: object) -> TypeGuard[Iterable[PictureInput]]:
    """Return whether several pictures are given.

    Raises:
        ImageError: It is an iterator, which may be endless.
    """
    if isinstance(images, Iterator) and not hasattr(images, "read"):
        raise ImageError(
            f"expected a picture or a list of them, got {type(images).__name__}; make a list of it, or use "
            "predict_many, which yields results one by one"
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
