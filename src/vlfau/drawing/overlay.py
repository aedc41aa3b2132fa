"""A video frame with its faces boxed, and a panel beside it that keeps its place from frame to frame."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from vlfau.drawing.panel import BACKGROUND, face_colour, font, wrapped
from vlfau.facs import action_unit
from vlfau.inference.results import FaceResult
from vlfau.video.summary import clock

__all__ = ["Columns", "Overlay"]

_KEPT_FOR_S: Final = 1.0


class Columns:
    """Gives faces their columns.

    A face that is not seen keeps its column for a second, and after that as long as no other face needs it.

    Args:
        count: The number of columns.
    """

    def __init__(self, count: int) -> None:
        self._faces = [0] * count  # 0 is nobody.
        self._seen_s = [0.0] * count

    def assign(self, face_ids: Sequence[int], time_s: float) -> tuple[int, ...]:
        """Give the faces of a frame their columns; those for which there is no room get none.

        Args:
            face_ids: From 1.
            time_s: When the frame is shown, in seconds.

        Returns:
            The face of every column, seen or not; 0 where there was none yet.

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

_CARD, _TRACK, _FAINT_BAR, _INK, _MUTED = "#ffffff", "#e8ecf1", "#b4bdc9", "#1b2430", "#5b6675"
# Lengths of the panel for a picture of 720 lines, in pixels.
_WIDTH, _PADDING, _HEADER, _ROW, _LINE, _TEXT = 330, 14, 44, 22, 20, 14
_NAME_X, _BAR_X, _BAR_END, _FOOT, _TAG = 58, 210, 278, 26, 28
_MIN_WORD_LINES: Final = 5
_MAX_PICTURE: Final = (1920, 1920)
_MAX_SCALE: Final = 2.0


class Overlay:
    """Draws the frames of one video.

    What does not change from frame to frame (names, numbers, words) is drawn once and copied, so a frame costs
    little more than its copy.

    Args:
        width: Of the frames, in pixels.
        height: Likewise.
        au_ids: The rows of the panel.
        columns: Faces that the panel has room for.
        note: A line for the foot of the panel.

    Attributes:
        size: Width and height of the drawings; both are even, as H.264 wants them.
    """

    def __init__(self, width: int, height: int, *, au_ids: Sequence[int], columns: int = 1, note: str = "") -> None:
        self._scale = min(max(min(width, height) / 720, 1.0), _MAX_SCALE)
        self._columns = Columns(columns)
        self._places = {au_id: place for place, au_id in enumerate(au_ids)}
        self._column_width = self._px(_WIDTH)
        note_lines = wrapped(note, self._px(_TEXT - 1), columns * self._column_width - 2 * self._px(_PADDING))
        foot = self._px(_FOOT + _LINE * len(note_lines))
        least = self._px(_HEADER + len(au_ids) * _ROW + _MIN_WORD_LINES * _LINE + _PADDING) + foot
        self._photo_size = _photo_size(width, height, least)
        self._photo_scale = self._photo_size[0] / width, self._photo_size[1] / height

        photo_width, photo_height = self._photo_size
        self.size = _even(photo_width + columns * self._column_width), _even(max(photo_height, least))
        self._photo_top = (self.size[1] - photo_height) // 2
        self._words_top = self._px(_HEADER + len(au_ids) * _ROW + _PADDING)
        self._foot_top = self.size[1] - foot
        self._canvas = np.asarray(Image.new("RGB", self.size, BACKGROUND)).copy()
        self._canvas[:, photo_width:] = ImageColor.getrgb(_CARD)
        self._write_note(note_lines)
        # Keyed by what they show; words come and go, so few of them are kept.
        self._row = lru_cache(4096)(self._draw_row)
        self._number = lru_cache(512)(self._draw_number)
        self._tag = lru_cache(64)(self._draw_tag)
        self._header = lru_cache(64)(self._draw_header)
        self._words = lru_cache(8)(self._draw_words)
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
        numbers = [face.face_id or place for place, face in enumerate(faces, start=1)]
        for face, number in zip(faces, numbers, strict=True):
            self._draw_box(photo, face, number)
        by_number = dict(zip(numbers, faces, strict=True))
        for column, shown in enumerate(self._columns.assign(numbers, time_s)):
            left = photo_width + column * self._column_width
            area = self._canvas[: self._foot_top, left : left + self._column_width]
            self._fill_column(area, by_number.get(shown), shown)
        time = self._clock(clock(time_s))
        _paste(self._canvas, time, photo_width, self.size[1] - time.shape[0])
        return self._canvas

    def _px(self, length: float) -> int:
        return round(length * self._scale)

    def _fill_column(self, area: Pixels, face: FaceResult | None, number: int) -> None:
        if face is None:
            area[:] = ImageColor.getrgb(_CARD)
            return
        _paste(area, self._header(number), 0, 0)
        bar_height, bar_left = self._px(10), self._px(_BAR_X)
        colour = ImageColor.getrgb(face_colour(number))
        for au in face.aus:
            place = self._places.get(au.au_id)
            if place is None:
                continue
            top = self._px(_HEADER + place * _ROW)
            _paste(area, self._row(au.au_id, number if au.state else 0), 0, top)
            bar_top = top + (self._px(_ROW) - bar_height) // 2
            length = round((self._px(_BAR_END) - bar_left) * au.prob)
            bar_colour = colour if au.state else ImageColor.getrgb(_FAINT_BAR)
            area[bar_top : bar_top + bar_height, bar_left : bar_left + length] = bar_colour
            _paste(area, self._number(f"{au.prob:.2f}", au.state), self._px(_BAR_END + 4), top)
        local = tuple((au.label, au.local_caption) for au in face.aus if au.local_caption)
        _paste(area, self._words(face.global_caption or "", local, number), 0, self._words_top)

    def _draw_box(self, photo: Pixels, face: FaceResult, number: int) -> None:
        left, right = (round(x * self._photo_scale[0]) for x in face.face_box_xyxy[::2])
        top, bottom = (round(y * self._photo_scale[1]) for y in face.face_box_xyxy[1::2])
        colour = ImageColor.getrgb(face_colour(number))[:3]
        line = self._px(2)
        cv2.rectangle(photo, (left, top), (right, bottom), (255, 255, 255), line + 2)
        cv2.rectangle(photo, (left, top), (right, bottom), colour, line)
        _paste(photo, self._tag(number), min(max(left, 0), photo.shape[1]), min(max(top, 0), photo.shape[0]))

    def _blank(self, height: int, width: int | None = None) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        image = Image.new("RGB", (width or self._column_width, max(1, height)), _CARD)
        return image, ImageDraw.Draw(image)

    def _draw_header(self, number: int) -> Pixels:
        image, draw = self._blank(self._px(_HEADER))
        tag = Image.fromarray(self._tag(number))
        left, top = self._px(_PADDING), (image.height - tag.height) // 2
        image.paste(tag, (left, top))
        middle = (left + tag.width + self._px(10), image.height / 2)
        draw.text(middle, f"Face {number}", _INK, font(self._px(18)), anchor="lm")
        return np.asarray(image)

    def _draw_tag(self, number: int) -> Pixels:
        height = self._px(_TAG)
        image = Image.new("RGB", (height + self._px(9 * (len(str(number)) - 1)), height), face_colour(number))
        middle = (image.width / 2, image.height / 2)
        ImageDraw.Draw(image).text(middle, str(number), "white", font(self._px(17)), anchor="mm")
        return np.asarray(image)

    def _draw_row(self, au_id: int, active_face: int) -> Pixels:
        """Draw a row but for its bar and number; `active_face` is the face's number if the AU is active, or 0."""
        image, draw = self._blank(self._px(_ROW))
        unit, middle, text = action_unit(au_id), self._px(_ROW) / 2, font(self._px(_TEXT))
        colour = face_colour(active_face) if active_face else _MUTED
        draw.text((self._px(_PADDING), middle), unit.label, colour, text, anchor="lm")
        draw.text((self._px(_NAME_X), middle), unit.name, _INK if active_face else _MUTED, text, anchor="lm")
        bar_height = self._px(10)
        bar_top = (self._px(_ROW) - bar_height) // 2
        box = (self._px(_BAR_X), bar_top, self._px(_BAR_END) - 1, bar_top + bar_height - 1)
        draw.rectangle(box, fill=_TRACK)
        return np.asarray(image)

    def _draw_number(self, text: str, active: bool) -> Pixels:
        image, draw = self._blank(self._px(_ROW), self._px(_WIDTH - _BAR_END - 4))
        right = image.width - self._px(_PADDING)
        draw.text((right, image.height / 2), text, _INK if active else _MUTED, font(self._px(_TEXT)), anchor="rm")
        return np.asarray(image)

    def _draw_words(self, text: str, local: tuple[tuple[str, str], ...], number: int) -> Pixels:
        image, draw = self._blank(self._foot_top - self._words_top)
        left, width = self._px(_PADDING), self._column_width - 2 * self._px(_PADDING)
        size, line_height = self._px(_TEXT), self._px(_LINE)
        room = image.height // line_height
        lines = [("", line) for line in wrapped(text, size, width)]
        for label, words in local:
            first, *rest = wrapped(f"{label} {words}", size, width)
            lines += [("", ""), (label, first), *(("", line) for line in rest)]
        if len(lines) > room:
            lines = [*lines[: room - 1], ("", "…")]
        for place, (label, line) in enumerate(lines):
            draw.text((left, place * line_height), label, face_colour(number), font(size))
            after_label = left + font(size).getlength(label)
            draw.text((after_label, place * line_height), line.removeprefix(label), _INK, font(size))
        return np.asarray(image)

    def _draw_clock(self, text: str) -> Pixels:
        image, draw = self._blank(self._px(_FOOT), self._px(120))
        draw.text((self._px(_PADDING), image.height / 2), text, _MUTED, font(self._px(_TEXT)), anchor="lm")
        return np.asarray(image)

    def _write_note(self, lines: Sequence[str]) -> None:
        image, draw = self._blank(self.size[1] - self._foot_top, self.size[0] - self._photo_size[0])
        for place, line in enumerate(lines):
            draw.text((self._px(_PADDING), place * self._px(_LINE)), line, _MUTED, font(self._px(_TEXT - 1)))
        _paste(self._canvas, np.asarray(image), self._photo_size[0], self._foot_top)


def _paste(canvas: Pixels, image: Pixels, left: int, top: int) -> None:
    part = canvas[top : top + image.shape[0], left : left + image.shape[1]]
    part[:] = image[: part.shape[0], : part.shape[1]]


def _photo_size(width: int, height: int, least_height: int) -> tuple[int, int]:
    """Return the size at which a frame is as high as the panel, but no larger than a screen."""
    scale = min(max(1.0, least_height / height), _MAX_PICTURE[0] / width, _MAX_PICTURE[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _even(length: int) -> int:
    return length + length % 2
