"""From a caption decoder to texts."""

from collections.abc import Sequence

from vlfau.language.constrained_decoding import SlotText
from vlfau.language.decoding import CaptionStepper, DecodingOptions, decode_captions
from vlfau.language.vocabulary import Vocabulary

__all__ = ["search_captions"]


def search_captions(
    stepper: CaptionStepper,
    vocabulary: Vocabulary,
    *,
    max_length: int,
    beam_size: int,
    prefix: Sequence[int] = (),
    shapes: Sequence[SlotText] | None = None,
) -> list[str]:
    """Search the caption of every sequence, and put it in words.

    Args:
        stepper: The decoder, bound to S sequences.
        vocabulary: Of the decoder.
        max_length: The most words of a free caption, its end included.
        beam_size: Hypotheses of the search.
        prefix: Words that every caption must begin with.
        shapes: For every sequence the texts among which its caption must be, however long; None allows all.
    """
    longest = max([max_length, *(shape.longest for shape in shapes or ())])
    results = decode_captions(
        stepper,
        bos_id=vocabulary.bos_id,
        eos_id=vocabulary.eos_id,
        options=DecodingOptions(max_length=longest, beam_size=beam_size),
        prefix=prefix,
        banned_ids=(vocabulary.pad_id,),
        shapes=shapes,
    )
    return [vocabulary.decode(result.token_ids) for result in results]
