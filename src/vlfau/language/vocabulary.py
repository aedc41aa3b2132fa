"""The words of the descriptions as token ids, and the lengths of the longest descriptions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

from vlfau.errors import DescriptionError
from vlfau.facs import check_au_ids
from vlfau.language.descriptions import Descriptions, default_descriptions
from vlfau.language.grammar import sentence_sizes
from vlfau.language.tokenizer import detokenize, tokenize

__all__ = ["Vocabulary", "max_global_length", "max_local_length"]

_SPECIAL: Final = ("<pad>", "<bos>", "<eos>")


@dataclass(frozen=True)
class Vocabulary:
    """Every token that the descriptions of some AUs can contain, with its id.

    Attributes:
        tokens: The padding, the start and the end, then the words, the full stop and the comma, sorted.
    """

    tokens: tuple[str, ...]

    pad_id: ClassVar[int] = 0
    bos_id: ClassVar[int] = 1
    eos_id: ClassVar[int] = 2

    def __post_init__(self) -> None:
        words = self.tokens[len(_SPECIAL) :]
        if self.tokens[: len(_SPECIAL)] != _SPECIAL or list(words) != sorted(set(words)):
            raise DescriptionError(
                f"a vocabulary is {', '.join(_SPECIAL)} followed by distinct words in order; give the list "
                "that 'to_list' returned"
            )

    @classmethod
    def for_aus(cls, au_ids: Iterable[int], descriptions: Descriptions | None = None) -> "Vocabulary":
        """Collect the words of every local and global description of these AUs.

        Args:
            au_ids: FACS numbers.
            descriptions: The texts; None means the package's own.

        Raises:
            DescriptionError: An AU has no texts.
        """
        descriptions = descriptions or default_descriptions()
        wording = descriptions.wording
        words = {"."}
        for au_id in check_au_ids(au_ids):
            unit = descriptions.unit(au_id)
            for template in (*unit.locals, *unit.phrases):
                words |= template.words
        shared = (*wording.degrees, *wording.sides.values(), *wording.subjects.values(), *wording.follow_ups)
        for text in (*shared, *wording.no_action, *wording.trace, ", and"):
            words.update(tokenize(text))
        return cls((*_SPECIAL, *sorted(words)))

    @classmethod
    def from_list(cls, tokens: Sequence[str]) -> "Vocabulary":
        """Return the vocabulary of a list from `to_list`.

        Raises:
            DescriptionError: The list is not a vocabulary.
        """
        return cls(tuple(tokens))

    def to_list(self) -> list[str]:
        """Return all tokens in the order of their ids."""
        return list(self.tokens)

    def __len__(self) -> int:
        """Return W, the special tokens included."""
        return len(self.tokens)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens) if index >= len(_SPECIAL)}

    def encode(self, text: str, max_length: int | None = None) -> list[int]:
        """Encode a text as token ids, with the end and without the start.

        Args:
            text: A description.
            max_length: Maximum number of ids, the end included.

        Raises:
            DescriptionError: A word is unknown, or the text is too long; it is never truncated.
        """
        token_ids = [*self.encode_words(text), self.eos_id]
        if max_length is not None and len(token_ids) > max_length:
            raise DescriptionError(
                f"the text '{text}' has {len(token_ids)} tokens with its end, {max_length} fit; shorten it"
            )
        return token_ids

    def encode_words(self, text: str) -> list[int]:
        """Encode the beginning of a text as token ids, without start and end.

        Raises:
            DescriptionError: A word is unknown.
        """
        try:
            return [self._ids[token] for token in tokenize(text)]
        except KeyError as error:
            raise DescriptionError(
                f"the vocabulary has no word {error} (text '{text}'); describe with the AUs it was made for"
            ) from None

    def decode(self, token_ids: Iterable[int]) -> str:
        """Decode token ids to a text, up to the end; padding and start are dropped.

        Raises:
            DescriptionError: An id is outside the vocabulary.
        """
        tokens: list[str] = []
        for token_id in map(int, token_ids):
            if not 0 <= token_id < len(self.tokens):
                raise DescriptionError(f"token {token_id} is outside a vocabulary of {len(self)}; use its numbers")
            if token_id == self.eos_id:
                break
            if token_id not in {self.pad_id, self.bos_id}:
                tokens.append(self.tokens[token_id])
        return detokenize(tokens)


def max_local_length(au_ids: Iterable[int], descriptions: Descriptions | None = None) -> int:
    """Return the number of tokens of the longest local description of these AUs, with its end."""
    descriptions = descriptions or default_descriptions()
    units = (descriptions.unit(au_id) for au_id in check_au_ids(au_ids))
    return 1 + max(template.max_tokens(descriptions.wording) for unit in units for template in unit.locals)


def max_global_length(au_ids: Iterable[int], descriptions: Descriptions | None = None) -> int:
    """Return the number of tokens of the longest global description of these AUs, with its end."""
    descriptions = descriptions or default_descriptions()
    wording = descriptions.wording
    units = [descriptions.unit(au_id) for au_id in check_au_ids(au_ids)]
    phrases = sum(max(template.max_tokens(wording) for template in unit.phrases) for unit in units)
    sentences = len(sentence_sizes(len(units)))
    subject = max(len(tokenize(text)) for text in wording.subjects.values())
    openings = subject + (sentences - 1) * max(len(tokenize(text)) for text in wording.follow_ups)
    separators = len(units)  # a comma, "and" or full stop after each phrase
    rest = max(len(tokenize(f"{text}.")) for text in (*wording.no_action, *wording.trace))
    return 1 + max(openings + phrases + separators, subject + rest)
