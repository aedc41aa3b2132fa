"""What surfaces are made of; the numbers index the table of colours that the shading reads."""

from typing import Final

__all__ = ["CLOTH", "EYE", "FABRIC", "FRAME", "HAIR", "LENS", "NUM_MATERIALS", "SKIN", "TEETH", "TONGUE"]

SKIN: Final = 0
EYE: Final = 1
TEETH: Final = 2
TONGUE: Final = 3
HAIR: Final = 4
FABRIC: Final = 5
FRAME: Final = 6
LENS: Final = 7
CLOTH: Final = 8
NUM_MATERIALS: Final = 9
