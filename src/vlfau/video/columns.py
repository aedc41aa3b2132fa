"""Which face stands in which column: a face keeps its place as long as it is seen."""

from collections.abc import Sequence
from typing import Final

__all__ = ["Columns"]

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
