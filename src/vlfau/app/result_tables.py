"""The tables that visitors download."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import PictureResult
from vlfau.tables.text_writers import side_file
from vlfau.tables.write import open_sink

__all__ = ["Tables", "write_tables"]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of pictures or a video.

    Attributes:
        paths: The files by suffix: `.csv`, `.jsonl`, and `.parquet` if pyarrow is installed.
        add: Writes one result.
    """

    paths: Mapping[str, Path]
    add: Callable[[PictureResult], None]


@contextmanager
def write_tables(folder: Path, stem: str, model: BundleInfo) -> Iterator[Tables]:
    """Open tables in a folder; the files are complete when the block ends without an error.

    Args:
        folder: The folder.
        stem: The name of the files without their suffix.
        model: The model whose results they will hold.
    """
    endings = (".csv", ".jsonl", *((".parquet",) if find_spec("pyarrow") else ()))
    paths = {ending: folder / f"{stem}{ending}" for ending in endings}
    with ExitStack() as stack:
        sinks = [stack.enter_context(open_sink(path, model=model)) for path in paths.values()]

        def add(result: PictureResult) -> None:
            for sink in sinks:
                sink.write(result)

        yield Tables(paths, add)
    for ending in (".csv", ".jsonl"):  # They are not offered for download; Parquet has the same information.
        side_file(paths[ending]).unlink(missing_ok=True)
