"""Where the command line writes: results to the standard output, everything else to the error output."""

import os
import sys

from rich.console import Console
from rich.text import Text

__all__ = ["error_console", "output_console", "print_error", "print_notice"]

_FILE_WIDTH = 120


def output_console() -> Console:
    """Return the console for results; a file gets lines of a fixed width."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_WIDTH
    return Console(width=width, highlight=False)


def error_console() -> Console:
    """Return the console for messages and progress."""
    return Console(stderr=True, highlight=False)


def print_error(message: str) -> None:
    """Say in a line what went wrong."""
    print_notice(message, title="error", style="bold red")


def print_notice(message: str, *, title: str, style: str) -> None:
    """Say something in a line that a terminal breaks between words but a file gets whole."""
    console = error_console()
    console.print(Text.assemble((f"{title}:", style), " ", message), soft_wrap=not console.is_terminal)
