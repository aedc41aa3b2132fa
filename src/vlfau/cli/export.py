"""`vlfau export`: a checkpoint in, a bundle out."""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from vlfau.errors import ConfigError

if TYPE_CHECKING:
    from vlfau.export.quantised import Quality
    from vlfau.inference.bundle import Bundle

__all__ = ["export"]

Flag = Annotated[bool, Parameter(negative=())]
_MEASURES: Final = {
    "F1": "f1_macro",
    "ROC-AUC": "roc_auc_macro",
    "local captions agree with states": "local_agreement",
    "local captions, BLEU-4": "local_bleu4",
    "global captions agree with states": "global_agreement",
    "global captions, BLEU-4": "global_bleu4",
}


def export(
    checkpoint: Path,
    output: Path,
    /,
    *,
    name: str | None = None,
    licence: str = "Apache-2.0",
    note: str = "",
    card: Path | None = None,
    full_precision: Flag = False,
    quantize: Literal["int8"] | None = None,
    calibrate: Path | None = None,
    force: Flag = False,
) -> int:
    """Export a checkpoint as a bundle, which `vlfau predict --model` runs without torch.

    Args:
        checkpoint: Folder written by `vlfau train`, such as runs/small-fold1/checkpoint.
        output: New folder for the bundle.
        name: Name of the model; the folder's name if omitted.
        licence: Licence of the weights.
        note: What users of the model should know first.
        card: Model card in Markdown, stored in the bundle.
        full_precision: Store weights as 32-bit instead of 16-bit floats, at twice the size.
        quantize: Quantise to 8-bit integers (extra int8): faster for large networks, but less exact. F1, AUC and
            captions are measured before and after; losing more than 0.5 points of macro F1 is an error.
        calibrate: With --quantize, a manifest of aligned faces: some calibrate the integer ranges, the others measure
            the loss.
        force: With --quantize, keep the bundle even if it loses more.
    """
    from vlfau.cli.console import output_console
    from vlfau.export import export_bundle
    from vlfau.files.atomic import refuse_existing

    if quantize is None and (calibrate or force):
        raise ConfigError(f"--{'calibrate' if calibrate else 'force'} belongs to --quantize int8; add it")
    if quantize and calibrate is None:
        raise ConfigError("--quantize needs faces to measure; name a manifest of some with --calibrate")
    make = partial(
        export_bundle,
        checkpoint,
        name=name or output.name,
        licence=licence,
        note=note,
        card=card,
        half=not full_precision,
    )
    if calibrate is None:
        bundle = make(output)
    else:
        refuse_existing(output)
        with tempfile.TemporaryDirectory() as folder:
            bundle = _quantised(make(Path(folder) / "whole"), output, calibrate, force=force)
    size = sum(bundle.path(file).stat().st_size for file in bundle.files) / 1e6
    output_console().print(f"bundle: {output} ({size:.1f} MB, {len(bundle.info.au_ids)} AUs)", markup=False)
    return 0


def _quantised(bundle: "Bundle", output: Path, manifest: Path, *, force: bool) -> "Bundle":
    from vlfau.cli.measuring import ProgressBar
    from vlfau.export import quantise_bundle

    with ProgressBar("Frames") as progress:
        return quantise_bundle(bundle, output, manifest, force=force, report=_report, progress=progress)


def _report(before: "Quality", after: "Quality") -> None:
    from rich import box
    from rich.table import Table

    from vlfau.cli.console import output_console

    table = Table("Measure", box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("before", "8 bits", "change"):
        table.add_column(title, justify="right", no_wrap=True)
    for title, measure in _MEASURES.items():
        old, new = getattr(before, measure), getattr(after, measure)
        if old is not None and new is not None:
            table.add_row(title, f"{old:.4f}", f"{new:.4f}", f"{new - old:+.4f}")
    output_console().print(table)
