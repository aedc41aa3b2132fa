"""When the faces of a video get captions: in every frame, or when something changes."""

from collections.abc import Sequence
from typing import Literal

from vlfau.facs import AUState
from vlfau.inference.au_scores import AUScores, Captions
from vlfau.inference.captioner import Describe
from vlfau.inference.predictor import Predictor

__all__ = ["DescribeFrames", "VideoCaptioner", "describe_for_pictures"]

DescribeFrames = Literal["changes", "active", "every", "never"]


def describe_for_pictures(describe: DescribeFrames) -> Describe:
    """Return which AUs of a single picture get captions: the active ones instead of those that change."""
    return "active" if describe == "changes" else describe


class VideoCaptioner:
    """Captions the faces of each frame, and repeats the captions of faces whose active AUs did not change.

    Captions that must agree with degrees and sides are written again when those of an active AU change too.
    """

    def __init__(self, predictor: Predictor, describe: DescribeFrames) -> None:
        self._predictor = predictor
        self._only_changes = describe == "changes"
        self._describe: Describe | None = None if describe == "changes" else describe
        self._unspoken = Captions((None,) * len(predictor.au_ids), None)
        self._last: dict[int, tuple[tuple[AUState, ...], Captions]] = {}

    def describe(self, scores: AUScores, rows: Sequence[int], face_ids: Sequence[int]) -> list[Captions]:
        """Return the captions of every face of a frame, whose scores are in some of the rows."""
        if self._describe == "never":
            return [self._unspoken] * len(face_ids)
        states = [self._predictor.told(scores.states(row)) for row in rows]
        known = {
            face_id: self._last[face_id]
            for face_id, state in zip(face_ids, states, strict=True)
            if self._only_changes and face_id in self._last and self._last[face_id][0] == state
        }
        new = [place for place, face_id in enumerate(face_ids) if face_id not in known]
        texts = self._predictor.describe(scores, [rows[place] for place in new], self._describe)
        for place, words in zip(new, texts, strict=True):
            known[face_ids[place]] = (states[place], words)
        # Only the faces of this frame are kept, so that memory does not grow with the video.
        self._last = known
        return [known[face_id][1] for face_id in face_ids]
