"""Pictures in the forms in which Python programs hold them: PIL pictures, torch tensors and NumPy arrays."""

import os
import warnings
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.errors import ImageError, first_line
from vlfau.media.images import Picture, read_picture, reduction_of, upright_rgb

__all__ = ["PictureInput", "TensorLike", "as_picture"]


@runtime_checkable
class TensorLike(Protocol):
    """A `torch.Tensor`, recognised by its methods: the light half of vlfau does not import torch."""

    @property
    def ndim(self) -> int:
        """The number of dimensions."""

    @property
    def shape(self) -> Any:
        """The sizes of the dimensions."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the first dimension."""

    def is_floating_point(self) -> bool:
        """Say whether it holds floats."""

    def detach(self) -> Any:
        """Return it without its gradient."""


PictureInput = str | os.PathLike[str] | Picture | Image.Image | NDArray[np.uint8] | TensorLike
"""What stands for one picture."""


def as_picture(image: PictureInput) -> Picture:
    """Return a picture from whatever stands for one.

    Args:
        image: A file; a picture that was read before; a PIL picture of any mode, turned as its EXIF orientation says;
            a torch tensor, (C, H, W) with three channels (RGB) or one (grey), uint8 or floats from 0 to 1; or an
            array, (H, W, 3) uint8 RGB or (H, W) uint8 grey.

    Raises:
        ImageError: The file is not a readable picture, or the object is of another kind.
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, str | os.PathLike):
        return read_picture(image)
    if isinstance(image, Image.Image):
        return _pil_picture(image)
    if isinstance(image, TensorLike):
        return Picture(_tensor_pixels(image))
    if hasattr(image, "__array__"):
        return Picture(_array_pixels(np.asarray(image)))
    raise ImageError(_not_a_picture(image))


def _not_a_picture(thing: object) -> str:
    if isinstance(thing, bytes | bytearray | memoryview):
        return (
            "expected a picture, got bytes; give the path of the file, or open them: PIL.Image.open(io.BytesIO(data))"
        )
    if hasattr(thing, "read"):
        return "expected a picture, got an open file; give its path, or open it with PIL.Image.open(file)"
    return (
        f"expected a file, a PIL picture, a torch tensor or an array, got {type(thing).__name__}; "
        "convert it to one of them"
    )


def _pil_picture(image: Image.Image) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata.
            pixels = upright_rgb(image)
    except Exception as error:  # A damaged file makes decoders raise almost anything.
        raise ImageError(f"the PIL picture of mode {image.mode} cannot be used ({error}); convert it to RGB") from None
    return Picture(pixels, reduction=reduction_of(image.size, pixels))


def _array_pixels(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return (H, W, 3) of an array; grey is repeated."""
    if array.dtype == np.uint8 and array.size:
        if array.ndim == 2:
            array = array[..., None]
        if array.ndim == 3 and array.shape[2] == 1:
            array = np.repeat(array, 3, axis=2)
        if array.ndim == 3 and array.shape[2] == 3:
            return np.ascontiguousarray(array)
    raise ImageError(
        f"expected a picture as (H, W, 3) uint8 RGB or (H, W) uint8 grey, got {array.shape} {array.dtype}; "
        f"{_array_remedy(array)}"
    )


def _array_remedy(array: NDArray[Any]) -> str:
    if not array.size:
        return "give pixels"
    if np.issubdtype(array.dtype, np.floating):
        return "bring the values to 0 to 255 and convert them with .astype(np.uint8)"
    if array.ndim == 4:
        return "give several pictures as a list"
    if array.ndim == 3 and array.shape[2] == 4:
        return "leave out the alpha channel: pixels[..., :3]"
    if array.ndim == 3 and array.shape[0] in {1, 3}:
        return "move the channels to the end: pixels.transpose(1, 2, 0)"
    return "convert it first"


def _tensor_pixels(tensor: TensorLike) -> NDArray[np.uint8]:
    """Return (H, W, 3) of a (C, H, W) tensor."""
    shape = tuple(tensor.shape)
    if len(shape) != 3 or shape[0] not in {1, 3} or 0 in shape:
        raise ImageError(
            f"expected a tensor of a picture as (C, H, W) with 3 channels (RGB) or 1 (grey), got {shape}; reshape it, "
            "and give several pictures as (B, C, H, W) or as a list"
        )
    try:
        plain = tensor.detach().cpu()
        pixels: NDArray[Any] = (plain.float() if tensor.is_floating_point() else plain).numpy()
    except (TypeError, RuntimeError, NotImplementedError) as error:  # Sparse, quantised or without data.
        raise ImageError(
            f"the values of the tensor cannot be read ({first_line(error)}); give a dense tensor that holds data, as "
            "by tensor.to_dense()"
        ) from None
    if tensor.is_floating_point():
        values: NDArray[np.float32] = pixels
        low, high = float(values.min()), float(values.max())
        if not 0 <= low <= high <= 1:
            raise ImageError(
                f"expected a tensor of floats from 0 to 1, got values from {low:.3g} to {high:.3g}; undo a "
                "normalisation, or give uint8"
            )
        pixels = np.rint(values * 255).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        raise ImageError(
            f"expected a tensor of uint8 or of floats from 0 to 1, got {pixels.dtype}; convert it to uint8"
        )
    return _array_pixels(pixels.transpose(1, 2, 0))
