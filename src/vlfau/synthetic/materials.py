"""What surfaces are made of; the numbers index the table of colours that the shading reads."""

from typing import Final

__all__ = ["BODY", "CLOTH", "EYE", "FABRIC", "FRAME", "HAIR", "LENS", "NUM_MATERIALS", "SKIN", "TEETH", "TONGUE"]

SKIN: Final = 0
BODY: Final = 1
"""Skin outside the face's texture: neck, shoulders and the clothes over them, and the inside of the mouth."""
EYE: Final = 2
TEETH: Final = 3
TONGUE: Final = 4
HAIR: Final = 5
FABRIC: Final = 6
FRAME: Final = 7
LENS: Final = 8
CLOTH: Final = 9
NUM_MATERIALS: Final = 10
