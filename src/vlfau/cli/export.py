"""`vlfau export`: a checkpoint in, a bundle out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["export"]


def export(
    checkpoint: Path,
    output: Path,
    /,
    *,
    name: str | None = None,
    licence: str = "Apache-2.0",
    note: str = "",
    full_precision: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Turn a checkpoint into a bundle that `vlfau predict --model` runs without torch.

    Args:
        checkpoint: The folder that `vlfau train` left, such as runs/small/best.
        output: A new folder for the bundle.
        name: The model's name; the folder's, if none is given.
        licence: Of the weights.
        note: What a user of the model should know first.
        full_precision: Store weights in 32 bits instead of 16, at twice the size.
    """
    from vlfau.cli.console import output_console
    from vlfau.export import export_bundle

    bundle = export_bundle(checkpoint, output, name=name, licence=licence, note=note, half=not full_precision)
    size = sum(bundle.path(file).stat().st_size for file in bundle.files) / 1e6
    output_console().print(f"bundle: {output} ({size:.1f} MB, {len(bundle.info.au_ids)} AUs)", markup=False)
    return 0
