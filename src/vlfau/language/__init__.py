"""AU states to words and back: descriptions, grammar, vocabulary and parser."""

from vlfau.language.descriptions import Descriptions
from vlfau.language.gender import Gender
from vlfau.language.grammar import global_description, local_description, mirrored
from vlfau.language.parsed import ParsedGlobal, ParsedLocal
from vlfau.language.parser import parse_global, parse_local
from vlfau.language.vocabulary import Vocabulary, max_global_length, max_local_length

__all__ = [
    "Descriptions",
    "Gender",
    "ParsedGlobal",
    "ParsedLocal",
    "Vocabulary",
    "global_description",
    "local_description",
    "max_global_length",
    "max_local_length",
    "mirrored",
    "parse_global",
    "parse_local",
]
