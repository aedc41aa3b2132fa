"""The texts that state decisions, as a search meets them word by word."""

from collections.abc import Iterable, Sequence

from vlfau.errors import DescriptionError
from vlfau.language.decided import decided_descriptions, decided_slots
from vlfau.language.descriptions import Descriptions
from vlfau.language.gender import Gender
from vlfau.language.slots import SlotText
from vlfau.language.vocabulary import Vocabulary

__all__ = ["DecidedShapes"]


class DecidedShapes:
    """Makes the shapes of captions that must state what was decided.

    Args:
        vocabulary: Of the decoder. Wordings whose words it lacks are left out.
        descriptions: The texts that the decoder learned; None means the package's own.
    """

    def __init__(self, vocabulary: Vocabulary, descriptions: Descriptions | None = None) -> None:
        self._vocabulary, self._descriptions = vocabulary, descriptions
        self._end = [[vocabulary.eos_id]]
        self._of_aus: dict[tuple[int, bool], SlotText] = {}
        self._encoded: dict[tuple[str, ...], list[list[int]]] = {}

    def of_au(self, au_id: int, active: bool) -> SlotText:
        """Return the local texts of an AU that is active, with any degree and side, or inactive.

        Raises:
            DescriptionError: The vocabulary has the words of none.
        """
        if (au_id, active) not in self._of_aus:
            texts = self._known(decided_descriptions(au_id, active, self._descriptions))
            self._of_aus[au_id, active] = SlotText([texts, self._end])
        return self._of_aus[au_id, active]

    def of_face(self, au_ids: Iterable[int], genders: Sequence[Gender | None]) -> SlotText:
        """Return the global texts of a face in which just these AUs act, of a subject that may be called so.

        Raises:
            DescriptionError: The vocabulary has the words of none.
        """
        slots = decided_slots(au_ids, genders, self._descriptions)
        return SlotText([*map(self._known, slots), self._end])

    def _known(self, texts: Sequence[str]) -> list[list[int]]:
        texts = tuple(texts)
        if texts not in self._encoded:
            known, unknown = [], None
            for text in texts:
                try:
                    known.append(self._vocabulary.encode_words(text))
                except DescriptionError as error:
                    unknown = error
            if not known and unknown:
                raise unknown
            self._encoded[texts] = known
        return self._encoded[texts]
