"""Which parts of the network an AU's score rests on: its branch, the geometry of the face, or its appearance."""

from dataclasses import astuple, dataclass
from typing import Final

from vlfau.errors import BundleError
from vlfau.inference.bundle import BundleInfo

__all__ = ["PARTS", "ScoreParts", "score_parts"]

PARTS: Final = "score_parts"
"""Key in a bundle's `training`: by AU, the three numbers of `ScoreParts`."""


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """How much each part of the network weighs in the score of an AU, 0 to 1; it is the same for every face.

    Attributes:
        branch: The AU's own branch, whose attention is the heat map.
        geometry: The movements of the face's mesh.
        appearance: What the mesh network sees of the face.
    """

    branch: float
    geometry: float
    appearance: float

    @property
    def branch_decides(self) -> bool:
        """Whether no other part weighs more than the branch."""
        return self.branch >= max(self.geometry, self.appearance)

    @property
    def text(self) -> str:
        """All parts in words, the heaviest first.

        >>> ScoreParts(0.0, 1.0, 0.0).text
        '100 % on the geometry of the face (movements of its mesh)'
        """
        names = (
            "the branch whose heat map is drawn",
            "the geometry of the face (movements of its mesh)",
            "the appearance of the face to the mesh network",
        )
        ranked = sorted(zip(astuple(self), names, strict=True), key=lambda part: -part[0])
        named = [f"{_percent(share)} on {name}" for share, name in ranked if round(share, 2) > 0]
        return f"{', '.join(named[:-1])}{' and ' if named[1:] else ''}{named[-1]}"

    @property
    def map_note(self) -> str:
        """A sentence to stand beside a heat map: how much of the score the map can show.

        >>> ScoreParts(0.19, 0.65, 0.16).map_note
        "The geometry of the face weighs 65 % in this score, this map's branch 19 %."
        """
        own = _percent(self.branch) if round(self.branch, 2) else "nothing"
        if self.branch_decides:
            return f"This map's branch weighs {own} in this score."
        other = "geometry" if self.geometry >= self.appearance else "appearance"
        share = _percent(max(self.geometry, self.appearance))
        return f"The {other} of the face weighs {share} in this score, this map's branch {own}."


def score_parts(info: BundleInfo, au_id: int) -> ScoreParts | None:
    """Return what the score of an AU rests on; None if the bundle does not record it.

    Raises:
        BundleError: The bundle's record is wrong.
    """
    record = info.training.get(PARTS, {})
    if not isinstance(record, dict) or str(au_id) not in record:
        return None
    found = record[str(au_id)]
    if not (
        isinstance(found, list)
        and len(found) == 3
        and all(type(share) in {int, float} and 0 <= share <= 1 for share in found)
    ):
        raise BundleError(
            f"bundle {info.name}: training.{PARTS} has {found!r} for AU {au_id}, expected 3 shares from 0 to 1; export "
            "the checkpoint again"
        )
    return ScoreParts(*found)


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"
