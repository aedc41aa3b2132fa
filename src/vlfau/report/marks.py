"""Signs beside the rows of ours whose scores do not compare plainly with the others, and what they mean."""

from collections.abc import Iterable, Mapping
from typing import Final

from vlfau.report.scores import Scores

__all__ = ["INCOMPLETE", "MARKS", "TEST_FOLD", "TUNED", "marks_of"]

TEST_FOLD: Final = "†"
INCOMPLETE: Final = "‡"
TUNED: Final = "§"
MARKS: Final[Mapping[str, str]] = {
    TEST_FOLD: "the epoch was chosen by its F1 on the fold that is tested (run.epoch_choice test-fold, the field's "
    "habit), so the score is better than on new people",
    INCOMPLETE: "not the whole published test set, so the row is not ranked",
    TUNED: "probabilities or thresholds were fitted to people who are tested, so the score is better than on new ones",
}
"""What each sign means, in the order in which they stand."""


def marks_of(scores: Iterable[Scores]) -> str:
    """Return the signs of a row that is made of some scores, apart from that of incomplete test sets."""
    networks = [each.network for each in scores]
    test_fold = any(network.epoch_choice == "test-fold" for network in networks)
    tuned = any(network.calibration is not None and network.calibration.on_tested_people for network in networks)
    return TEST_FOLD * test_fold + TUNED * tuned
