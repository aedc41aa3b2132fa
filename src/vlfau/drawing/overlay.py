"""A video frame with its faces boxed, and a panel of results beside it that stays where it is from frame to frame."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlfau.drawing.pixels import AURows, badge, draw_badge, draw_box, font, paste, rgb, wrapped
from vlfau.drawing.theme import BOX_LINE, LIGHT, VIDEO_ROW, VIDEO_TEXT_SIZES, face_colour
from vlfau.inference.results import FaceResult
from vlfau.video.summary import clock

__all__ = ["Columns", "Overlay"]

_KEPT_FOR_S: Final = 1.0


class Columns:
    """Assigns faces to columns.

    A face out of sight keeps its column for a second, and then until another face needs it.

    Args:
        count: The number of columns.
    """

    def __init__(self, count: int) -> None:
        self._faces = [0] * count  # 0: no face.
        self._seen_s = [0.0] * count

    def assign(self, face_ids: Sequence[int], time_s: float) -> tuple[int, ...]:
        """Assign the faces of a frame to columns; faces for which there is no room are left out.

        Args:
            face_ids: Their numbers, from 1.
            time_s: When the frame is shown, in seconds.

        Returns:
            The face of every column, in sight or not; 0 for an unused column.

        >>> columns = Columns(2)
        >>> columns.assign([7, 8, 9], 0.0), columns.assign([9, 8], 0.5), columns.assign([9, 8], 1.5)
        ((7, 8), (7, 8), (9, 8))
        """
        for face_id in face_ids:
            if face_id in self._faces:
                self._seen_s[self._faces.index(face_id)] = time_s
        for face_id in face_ids:
            if face_id in self._faces:
                continue
            free = [
                column
                for column, held in enumerate(self._faces)
                if not held or abs(time_s - self._seen_s[column]) > _KEPT_FOR_S
            ]
            if free:
                self._faces[free[0]], self._seen_s[free[0]] = face_id, time_s
        return tuple(self._faces)


Pixels = NDArray[np.uint8]

# Lengths of the panel for a picture of 720 lines, in pixels.
_PADDING, _HEADER, _LINE, _FOOT, _BADGE = 14, 44, 20, 26, 14
_MIN_CAPTION_LINES: Final = 5
_MAX_PICTURE: Final = (1920, 1920)
_MAX_SCALE: Final = 2.0


class Overlay:
    """Draws the frames of one video.

    What does not change from frame to frame (names, numbers, captions) is drawn once and copied, so a frame costs
    little more than its copy.

    Args:
        width: Of the frames, in pixels.
        height: Of the frames, in pixels.
        au_ids: The rows of the panel.
        columns: Number of faces that fit into the panel.
        note: A line at the bottom of the panel.

    Attributes:
        size: Width and height of the drawings; both are even, as H.264 requires.
    """

    def __init__(self, width: int, height: int, *, au_ids: Sequence[int], columns: int = 1, note: str = "") -> None:
        self._scale = min(max(min(width, height) / 720, 1.0), _MAX_SCALE)
        self._columns = Columns(columns)
        self._au_rows = AURows(VIDEO_ROW.scaled(self._scale))
        self._row_of = {au_id: index for index, au_id in enumerate(au_ids)}
        self._padding, self._row_height = self._px(_PADDING), self._au_rows.layout.height
        self._column_width = self._au_rows.layout.width + 2 * self._padding
        note_lines = wrapped(note, self._px(VIDEO_TEXT_SIZES.small), columns * self._column_width - 2 * self._padding)
        foot = self._px(_FOOT + _LINE * len(note_lines))
        self._captions_top = self._px(_HEADER) + len(au_ids) * self._row_height + self._padding
        least = self._captions_top + self._px(_MIN_CAPTION_LINES * _LINE) + foot
        self._photo_size = _photo_size(width, height, least)
        self._photo_scale = self._photo_size[0] / width, self._photo_size[1] / height

        photo_width, photo_height = self._photo_size
        self.size = _even(photo_width + columns * self._column_width), _even(max(photo_height, least))
        self._photo_top = (self.size[1] - photo_height) // 2
        self._foot_top = self.size[1] - foot
        self._canvas = np.asarray(Image.new("RGB", self.size, LIGHT.canvas)).copy()
        self._canvas[:, photo_width:] = rgb(LIGHT.card)
        self._write_note(note_lines)
        # Keyed by what they show; captions come and go, so few of them are kept.
        self._header = lru_cache(64)(self._draw_header)
        self._captions = lru_cache(8)(self._draw_captions)
        self._clock = lru_cache(2)(self._draw_clock)

    def draw(self, pixels: Pixels, faces: Sequence[FaceResult], time_s: float) -> Pixels:
        """Draw a frame.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            faces: What was found in it.
            time_s: When it is shown, in seconds.

        Returns:
            (H', W', 3) uint8 RGB of `size`. The next call draws over it.
        """
        photo_width, photo_height = self._photo_size
        photo = self._canvas[self._photo_top : self._photo_top + photo_height, :photo_width]
        if pixels.shape == photo.shape:
            photo[:] = pixels
        else:
            shrinks = pixels.shape[0] > photo_height
            method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            photo[:] = cv2.resize(pixels, self._photo_size, interpolation=method)
        numbers = [face.face_id or index for index, face in enumerate(faces, start=1)]
        for face, number in zip(faces, numbers, strict=True):
            self._draw_box(photo, face, number)
        by_number = dict(zip(numbers, faces, strict=True))
        for column, shown in enumerate(self._columns.assign(numbers, time_s)):
            left = photo_width + column * self._column_width
            area = self._canvas[: self._foot_top, left : left + self._column_width]
            self._fill_column(area, by_number.get(shown), shown)
        time = self._clock(clock(time_s))
        paste(self._canvas, time, photo_width, self.size[1] - time.shape[0])
        return self._canvas

    def _px(self, length: float) -> int:
        return round(length * self._scale)

    def _fill_column(self, area: Pixels, face: FaceResult | None, number: int) -> None:
        if face is None:
            area[:] = rgb(LIGHT.card)
            return
        paste(area, self._header(number), 0, 0)
        for au in face.aus:
            row = self._row_of.get(au.au_id)
            if row is not None:
                top = self._px(_HEADER) + row * self._row_height
                self._au_rows.draw(area, self._padding, top, au, face_colour(number))
        local = tuple((au.label, au.local_caption) for au in face.aus if au.local_caption)
        text = " ".join(filter(None, (face.doubt_text, face.global_caption)))
        paste(area, self._captions(text, local, number), 0, self._captions_top)

    def _draw_box(self, photo: Pixels, face: FaceResult, number: int) -> None:
        left, right = (x * self._photo_scale[0] for x in face.face_box_xyxy[::2])
        top, bottom = (y * self._photo_scale[1] for y in face.face_box_xyxy[1::2])
        draw_box(photo, (left, top, right, bottom), number, line=self._px(BOX_LINE))
        draw_badge(photo, number, (left, top), self._px(_BADGE))

    def _blank(self, height: int, width: int | None = None) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        image = Image.new("RGB", (width or self._column_width, max(1, height)), LIGHT.card)
        return image, ImageDraw.Draw(image)

    def _draw_header(self, number: int) -> Pixels:
        image, draw = self._blank(self._px(_HEADER))
        mark = badge(number, self._px(_BADGE))
        image.paste(mark, (self._padding, (image.height - mark.height) // 2), mark)
        middle = (self._padding + mark.width + self._px(10), image.height / 2)
        draw.text(middle, f"Face {number}", LIGHT.ink, font(self._px(VIDEO_TEXT_SIZES.title)), anchor="lm")
        return np.asarray(image)

    def _draw_captions(self, text: str, local: tuple[tuple[str, str], ...], number: int) -> Pixels:
        image, draw = self._blank(self._foot_top - self._captions_top)
        left, width = self._padding, self._column_width - 2 * self._padding
        size, line_height = self._px(VIDEO_TEXT_SIZES.text), self._px(_LINE)
        room = image.height // line_height
        lines = [("", line) for line in wrapped(text, size, width)]
        for label, caption in local:
            first, *rest = wrapped(f"{label} {caption}", size, width)
            lines += [("", ""), (label, first), *(("", line) for line in rest)]
        if len(lines) > room:
            lines = _cut(lines[:room], size, width)
        for index, (label, line) in enumerate(lines):
            draw.text((left, index * line_height), label, face_colour(number), font(size))
            after_label = left + font(size).getlength(label)
            draw.text((after_label, index * line_height), line.removeprefix(label), LIGHT.ink, font(size))
        return np.asarray(image)

    def _draw_clock(self, text: str) -> Pixels:
        image, draw = self._blank(self._px(_FOOT), self._px(120))
        size = font(self._px(VIDEO_TEXT_SIZES.text))
        draw.text((self._padding, image.height / 2), text, LIGHT.muted, size, anchor="lm")
        return np.asarray(image)

    def _write_note(self, lines: Sequence[str]) -> None:
        image, draw = self._blank(self.size[1] - self._foot_top, self.size[0] - self._photo_size[0])
        for index, line in enumerate(lines):
            small = font(self._px(VIDEO_TEXT_SIZES.small))
            draw.text((self._padding, index * self._px(_LINE)), line, LIGHT.muted, small)
        paste(self._canvas, np.asarray(image), self._photo_size[0], self._foot_top)


def _cut(lines: Sequence[tuple[str, str]], size: int, width: float) -> list[tuple[str, str]]:
    """Return lines of captions that end with an ellipsis after a whole word, within the width."""
    kept = list(lines)
    while kept and kept[-1][1].removeprefix(kept[-1][0]).strip() == "":
        kept.pop()
    if not kept:
        return [("", "…")]
    label, line = kept.pop()
    words = line.rstrip(" .,;").split(" ")
    while len(words) > 1 and font(size).getlength(f"{' '.join(words)} …") > width:
        words.pop()
    return [*kept, (label, f"{' '.join(words)} …")]


def _photo_size(width: int, height: int, least_height: int) -> tuple[int, int]:
    """Return the size at which a frame is as tall as the panel, but no larger than a screen."""
    scale = min(max(1.0, least_height / height), _MAX_PICTURE[0] / width, _MAX_PICTURE[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _even(length: int) -> int:
    return length + length % 2
