"""The command line: `vlfau`, one file a command.

Each command imports what it needs when it runs, so that `vlfau --help` is quick and the light half works
without torch. Exit codes: 0 all is well, 1 something is missing or broken, 2 an input is wrong,
130 interrupted.
"""

import errno
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from cyclopts import App, CycloptsError

from vlfau._version import version
from vlfau.cli.console import output_failure, print_error, print_notice, sturdy_streams
from vlfau.cli.garbage import quick_end, quick_imports
from vlfau.errors import ConfigError, InputError, MissingExtraError, VlfauError
from vlfau.files.names import printable

__all__ = ["main"]

_COMMANDS = (
    "predict",
    "narrate",
    "explain",
    "app",
    "batch",
    "prepare",
    "landmarks",
    "synth",
    "describe",
    "train",
    "calibrate",
    "evaluate",
    "compare",
    "compare-methods",
    "truth",
    "crossval",
    "ablate",
    "report",
    "export",
    "models",
    "info",
)
_SHARED = {"models": "info"}
"""Modules of commands that have another name."""
_EXTRAS = {
    "train": (
        "torch",
        "torchvision",
        "timm",
        "jinja2",
        "lightning",
        "markupsafe",
        "matplotlib",
        "onnx",
        "onnxscript",
        "pydantic",
        "safetensors",
        "torchmetrics",
        "yaml",
    ),
    "synthetic": ("numba", "scipy"),
    "tables": ("pandas", "pyarrow"),
    "app": ("gradio",),
    "live": ("pylsl", "pythonosc", "websockets", "zmq"),
    "excel": ("openpyxl",),
    "heic": ("pi_heif",),
    "batch": ("ray",),
    "openvino": ("openvino",),
}
"""The packages that each extra installs."""
_REMOVED = {
    "--consistent": "captions agree with the states by default; omit it, or use --free-words for free captions",
}
"""Options removed from `predict` and `batch`, and what to do instead."""
_OF_THE_SYSTEM = {
    errno.ENOSPC: "free disk space, then run the command again",
    errno.EDQUOT: "free disk space, then run the command again",
    errno.EFBIG: "choose a disk that takes larger files, or raise the limit (ulimit -f)",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EACCES: "allow this user to use it, or choose another",
    errno.EIO: "check the disk or the network, then run the command again",
    errno.ESTALE: "check the network drive, then run the command again",
    errno.EROFS: "choose a folder that can be written",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "close other programs, or allow more open files",
    errno.ENOMEM: "close other programs, or give this one more memory",
    errno.EAGAIN: "allow more threads and processes (ulimit -u)",
}


def _command_line(words: Sequence[str]) -> App:
    """Return the command line; importing all commands takes a while, so that it has only the one that is named."""
    commands = App(
        name="vlfau",
        help="Facial action units in numbers and in words.",
        version=version,
        suppress_keyboard_interrupt=False,
    )
    named = [name for name in _COMMANDS if words[:1] == [name]]
    for name in named or _COMMANDS:
        function = name.replace("-", "_")
        with quick_imports():
            module = import_module(f"vlfau.cli.{_SHARED.get(name, function)}")
        commands.command(getattr(module, function))
    return commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments after `vlfau`; None takes those of this process.

    Returns:
        The exit code.
    """
    quick_end()
    with sturdy_streams():
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # A terminal without Unicode must not stop the run.
        code = _run(arguments)
        sys.stdout.flush()
        failure = output_failure()
        if failure is not None:
            print_notice(f"not all could be printed ({failure.strerror})", title="note", style="yellow")
        # A closed pipe is intended by the reader; any other failure lost output.
        return 1 if failure is not None and failure.errno != errno.EPIPE and not code else code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        _check_working_directory()
        words = list(sys.argv[1:] if arguments is None else arguments)
        _check_removed(words)
        code = _command_line(words)(
            words,
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
    except (CycloptsError, InputError) as error:
        if isinstance(error, InputError):
            print_error(str(error))
        return 2
    except VlfauError as error:
        print_error(str(error))
        return 1
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extras = [extra for extra, packages in _EXTRAS.items() if package in packages]
        if not extras:
            raise
        print_error(str(MissingExtraError(package, extras[0])))
        return 1
    except KeyboardInterrupt:
        if arguments is None:  # This process is ours: one more Ctrl-C ends it at once, without a traceback.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        return 130
    except OSError as error:
        if error.errno not in _OF_THE_SYSTEM:
            raise
        what = f" {printable(error.filename)}" if isinstance(error.filename, str) else ""
        print_error(f"the operating system refused{what} ({error.strerror}); {_OF_THE_SYSTEM[error.errno]}")
        return 1
    return code if isinstance(code, int) else 0


def _check_working_directory() -> None:
    try:
        Path.cwd()
    except OSError:
        raise InputError("the working directory no longer exists; change to another one") from None


def _check_removed(words: Sequence[str]) -> None:
    if words and words[0] in {"predict", "batch"}:
        for word in words:
            if word in _REMOVED:
                raise ConfigError(f"option {word} was removed: {_REMOVED[word]}")
