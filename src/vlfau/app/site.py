"""What every part of the page needs."""

from dataclasses import dataclass
from pathlib import Path

from vlfau.app.judging import Judge
from vlfau.app.settings import Settings
from vlfau.inference.bundle import BundleInfo

__all__ = ["Site"]


@dataclass(frozen=True, slots=True)
class Site:
    """The model, the limits and the folder of a page.

    Attributes:
        judge: Judges what visitors send.
        settings: Limits.
        folder: Where uploads and results lie for a while.
    """

    judge: Judge
    settings: Settings
    folder: Path

    @property
    def model(self) -> BundleInfo:
        """What is known of the model."""
        return self.judge.info

    @property
    def privacy(self) -> str:
        """What happens to the files of visitors."""
        minutes = max(1, round(self.settings.kept_s / 60))
        return f"Files stay on this server and are deleted within {minutes + 1} minutes."
