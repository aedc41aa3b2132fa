"""Pictures with detected and cropped faces, ready for the network."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.faces import CropGeometry, Face, FaceFinder, FaceGeometry, FaceReader, align_face
from vlfau.faces.geometry import estimate_gaze, head_position
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import CropResult, FaceResult, PictureResult
from vlfau.measures.geometry import eye_distance
from vlfau.measures.measuring import MeasuredFace
from vlfau.measures.quality import FaceQuality
from vlfau.media.images import Picture
from vlfau.media.pixels import PictureInput, as_picture

__all__ = ["FoundPicture", "align_faces", "face_geometries", "face_result"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FoundPicture:
    """A picture with detected faces.

    Attributes:
        name: Name of the picture in the result.
        source: The file, or the picture if given as pixels.
        faces: Largest first, in pixels of the analysed picture.
        crops: (B, S, S, 3) uint8 RGB, one per face.
        reduction: Pixels of the file per pixel of the analysed picture, along one side.
    """

    name: str
    source: Picture | Path
    faces: Sequence[Face]
    crops: NDArray[np.uint8]
    reduction: float
    geometries: Sequence[FaceGeometry]

    @classmethod
    def of(
        cls,
        image: PictureInput,
        finder: FaceFinder,
        geometry: CropGeometry,
        *,
        name: str | None = None,
        reader: FaceReader | None = None,
    ) -> Self:
        """Detect and crop the faces of a picture.

        Args:
            image: The picture.
            finder: The face detector.
            geometry: Geometry of the aligned crop.
            name: Name to use instead of the path.
            reader: Reads the irises for the gaze; None leaves the gaze out.

        Raises:
            ImageError: The file is not a readable picture, or the pixels have the wrong type.
        """
        picture = as_picture(image)
        faces = finder.find(picture.pixels)
        return cls(
            name=printable(_path_of(image) if name is None else name),
            source=Path(image).absolute() if isinstance(image, str | os.PathLike) else picture,
            faces=faces,
            crops=align_faces(picture.pixels, faces, geometry),
            reduction=picture.reduction,
            geometries=face_geometries(picture.pixels, faces, reader, reduction=picture.reduction),
        )

    def result(self, crop_results: Iterator[CropResult], model: BundleInfo) -> PictureResult:
        """Return the result of the picture.

        Args:
            crop_results: Results of aligned faces; those of this picture come next.
            model: Metadata of the model.
        """
        faces = tuple(
            face_result(
                face, crop, next(crop_results), crop_geometry=model.crop, reduction=self.reduction, geometry=geometry
            )
            for face, crop, geometry in zip(self.faces, self.crops, self.geometries, strict=True)
        )
        return PictureResult(self.name, faces, model=model, source=self.source)


def align_faces(pixels: NDArray[np.uint8], faces: Sequence[Face], geometry: CropGeometry) -> NDArray[np.uint8]:
    """Align and crop faces for the network.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        faces: B faces, as detected by the face finder.
        geometry: Geometry of the aligned crop.

    Returns:
        (B, S, S, 3) uint8 RGB.
    """
    crops = [align_face(pixels, face.landmarks_xy, geometry) for face in faces]
    return np.stack(crops) if crops else np.zeros((0, geometry.crop_size, geometry.crop_size, 3), np.uint8)


def face_geometries(
    pixels: NDArray[np.uint8], faces: Sequence[Face], reader: FaceReader | None, *, reduction: float = 1.0
) -> list[FaceGeometry]:
    """Estimate where heads are, and where their eyes look.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        faces: The faces, in pixels of that picture.
        reader: Reads the irises; None leaves the gaze out.
        reduction: Pixels of the file per pixel of the analysed picture, along one side.
    """
    readings = [None] * len(faces) if reader is None else reader(pixels, faces)
    return [
        FaceGeometry(
            landmarks_z=np.asarray(face.landmarks_z, np.float32) * np.float32(reduction),
            head_xyz_mm=head_position(face.landmarks_xy, face.landmarks_z, pixels.shape),
            gaze=None if reading is None else estimate_gaze(reading, face.pose),
        )
        for face, reading in zip(faces, readings, strict=True)
    ]


def face_result(
    face: Face,
    crop: NDArray[np.uint8],
    result: CropResult,
    *,
    crop_geometry: CropGeometry,
    reduction: float = 1.0,
    face_id: int | None = None,
    person: int | None = None,
    geometry: FaceGeometry | None = None,
    measured: MeasuredFace | None = None,
) -> FaceResult:
    """Combine the position of a face with the result of its crop.

    Args:
        face: In pixels of the analysed picture.
        crop: (S, S, 3) uint8 RGB.
        result: Result of the crop.
        crop_geometry: Geometry of the crop.
        reduction: Pixels of the file per pixel of the analysed picture, along one side.
        face_id: Number of the face in its video.
        person: Number of the person in the video, if people are told apart.
        geometry: As returned by `face_geometries`.
        measured: The face's measurements, if the AUs of `result` have them already.
    """
    aus = result.aus
    if measured is None:
        measured = MeasuredFace.of(crop, face.landmarks_xy, crop_geometry, reduction=reduction)
        aus = tuple(replace(au, measured=measured) for au in aus)
    landmarks_xy = np.asarray(face.landmarks_xy, np.float32) * np.float32(reduction)
    quality = FaceQuality.of(crop, eye_distance(landmarks_xy), face.pose)
    if doubtful := frozenset(quality.doubtful(result.au_ids)):
        aus = tuple(replace(au, doubtful=True) if au.au_id in doubtful else au for au in aus)
    return FaceResult(
        aus=aus,
        person=person,
        global_caption=result.global_caption,
        face_box_xyxy=_scaled_box(face, reduction),
        landmarks_xy=landmarks_xy,
        score=float(face.score),
        pose=face.pose,
        crop=crop,
        face_id=face_id,
        measured=measured,
        geometry=geometry,
        doubt=quality.reason if doubtful else "",
    )


def _scaled_box(face: Face, reduction: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) * reduction for value in face.face_box_xyxy)
    return left, top, right, bottom


def _path_of(image: PictureInput) -> str | os.PathLike[str]:
    """Return the file of a picture; empty if unknown."""
    if isinstance(image, Image.Image):
        return getattr(image, "filename", "") or ""  # PIL keeps the path of the file it opened.
    return image if isinstance(image, str | os.PathLike) else ""
