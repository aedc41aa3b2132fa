"""`vlfau info` and `vlfau models`: details of one model, and the list of models."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from vlfau.inference.bundle import Bundle

__all__ = ["info", "models"]

_PACKAGES: Final = (
    "vlfau",
    "numpy",
    "onnxruntime",
    "openvino",
    "opencv-python-headless",
    "pillow",
    "torch",
    "timm",
    "lightning",
)


def info(*, model: str | None = None) -> None:
    """Show a model's action units, origin and scores, and the installed versions.

    Args:
        model: Folder of a bundle or a checkpoint, or a name that `vlfau models` lists; the default model if omitted.
    """
    from vlfau.cli.console import output_console, print_notice
    from vlfau.cli.formatting import au_table
    from vlfau.inference.bundle import load_bundle

    console = output_console()
    console.print(_pairs("Versions", _versions()))
    bundle = load_bundle(model)
    console.print(_pairs("Model", _model(bundle)))
    console.print(_pairs("Training", _flat(bundle.info.training)))
    console.print(_pairs("Scores", _flat(bundle.info.scores)))
    console.print(Text("Action units", "bold"))
    console.print(au_table(bundle.info))
    if bundle.info.warning:
        print_notice(bundle.info.warning, title="note", style="yellow")


def models() -> int:
    """List the models that vlfau includes, and those in the folders named by VLFAU_MODELS."""
    from rich import box
    from rich.table import Table

    from vlfau.cli.console import output_console, print_error
    from vlfau.errors import BundleError
    from vlfau.inference.bundle import bundle_folders, load_bundle

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Name", "AUs", "Captions", "MB", "Trained on", "Folder"):
        table.add_column(heading, justify="right" if heading == "MB" else "left")
    damaged = 0
    for name, folder in bundle_folders().items():
        try:
            bundle = load_bundle(folder)
        except BundleError as error:
            print_error(str(error))
            damaged += 1
            continue
        aus = " ".join(map(str, bundle.info.au_ids))
        words = ("local",) * bundle.has_local_captions + ("global",) * bundle.has_global_captions
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        faces = "synthetic faces" if bundle.info.is_synthetic else "real faces"
        table.add_row(name, aus, ", ".join(words) or "none", f"{size:.1f}", faces, str(folder))
    output_console().print(table)
    return 2 if damaged else 0


def _versions() -> Iterator[tuple[str, str]]:
    import platform
    from importlib import metadata

    yield "python", platform.python_version()
    for package in _PACKAGES:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, "not installed"


def _model(bundle: "Bundle") -> Iterator[tuple[str, str]]:
    info, crop = bundle.info, bundle.info.crop
    captions = [
        name
        for name, is_there in (
            ("local", bundle.has_local_captions),
            ("global", bundle.has_global_captions),
        )
        if is_there
    ]
    yield "name", f"{info.name} {info.version}"
    yield "folder", str(bundle.folder)
    if bundle.card is not None:
        yield "model card", str(bundle.card)
    yield "created", info.created
    yield "licence", info.licence
    if info.note:
        yield "note", info.note
    yield "input", f"{crop.crop_size} x {crop.crop_size} pixels of an aligned face of {crop.aligned_size}"
    yield "captions", ", ".join(captions) or "none"
    if captions:
        from vlfau.language.descriptions_file import DESCRIPTIONS_FILE

        carried = "in the bundle" if DESCRIPTIONS_FILE in bundle.files else "those of this vlfau"
        yield "descriptions", info.words_warning or carried


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value of nested tables under its full name."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", f"{value:.4g}" if isinstance(value, float) else str(value)


def _pairs(title: str, pairs: Iterator[tuple[str, str]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column(no_wrap=True, style="bright_black")
    table.add_column()
    for name, value in pairs:
        table.add_row(name, Text(value))
    return table
