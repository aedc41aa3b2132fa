"""What a description was read to say."""

from dataclasses import dataclass

from vlfau.facs import AUState, Side
from vlfau.language.gender import Gender

__all__ = ["ParsedGlobal", "ParsedLocal"]


@dataclass(frozen=True, slots=True)
class ParsedLocal:
    """What a local description says.

    Attributes:
        au_id: The AU it describes; None where no first sentence of a text is readable (the later ones depict
            and do not state) or sentences disagree.
        active: Whether it says that the AU acts; None likewise.
        intensity: The degree it names, 1 to 5; None where it names none or several.
        side: The side it names; None likewise.
        unparsed: The sentences that could not be read.
        contradiction: Whether it disagrees with itself: about AU, state, degree or side.
        trace: Whether it says of an inactive AU that there is at most a trace, and nowhere that it is at rest.
    """

    au_id: int | None
    active: bool | None
    intensity: int | None
    side: Side | None
    unparsed: tuple[str, ...]
    contradiction: bool
    trace: bool = False

    @property
    def state(self) -> AUState | None:
        """The state it describes; None where that is not clear."""
        if self.au_id is None or self.active is None or self.contradiction:
            return None
        return AUState(self.au_id, self.active, self.intensity, self.side, self.trace)

    @property
    def complete(self) -> bool:
        """Whether every sentence was read and all agree."""
        return self.state is not None and not self.unparsed


@dataclass(frozen=True, slots=True)
class ParsedGlobal:
    """What a global description says.

    Attributes:
        gender: The gender it names; None where it says "person", names none or both.
        states: The active AUs it names, in catalogue order; degree and side are None where it names none or
            several.
        no_action: Whether it says that no AU acts, or none by more than a trace.
        unparsed: The phrases and openings that could not be read.
        contradiction: Whether it disagrees with itself.
        trace: Whether it leaves room for a trace where it says that no AU acts.
    """

    gender: Gender | None
    states: tuple[AUState, ...]
    no_action: bool
    unparsed: tuple[str, ...]
    contradiction: bool
    trace: bool = False

    @property
    def complete(self) -> bool:
        """Whether it says something, all of it was read, and it agrees with itself."""
        return (bool(self.states) or self.no_action) and not self.unparsed and not self.contradiction
