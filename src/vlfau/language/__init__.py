"""AU states to words and back: descriptions, grammar, vocabulary and parser."""

from vlfau.language.descriptions import Descriptions
from vlfau.language.face_notes import face_note
from vlfau.language.grammar import global_description, local_description, mirrored
from vlfau.language.note_parser import parse_note
from vlfau.language.parser import ParsedGlobal, ParsedLocal, parse_global, parse_local
from vlfau.language.vocabulary import Vocabulary, max_global_length, max_local_length
from vlfau.language.wording import Gender

__all__ = [
    "Descriptions",
    "Gender",
    "ParsedGlobal",
    "ParsedLocal",
    "Vocabulary",
    "face_note",
    "global_description",
    "local_description",
    "max_global_length",
    "max_local_length",
    "mirrored",
    "parse_global",
    "parse_local",
    "parse_note",
]
