"""The gender that a global description names, where the data has it."""

from enum import StrEnum

__all__ = ["Gender"]


class Gender(StrEnum):
    """The gender in which a global description speaks of the subject."""

    WOMAN = "woman"
    MAN = "man"

    @classmethod
    def parse(cls, text: str) -> "Gender | None":
        """Read the ways in which data sets write a gender; an empty text is an unknown one.

        Raises:
            ValueError: The text is none of them.

        >>> Gender.parse("F")
        <Gender.WOMAN: 'woman'>
        """
        match text.strip().lower():
            case "f" | "female" | "woman":
                return cls.WOMAN
            case "m" | "male" | "man":
                return cls.MAN
            case "" | "unknown":
                return None
        raise ValueError(f"a gender is F, M, female, male, woman, man, unknown or empty, not {text!r}")
