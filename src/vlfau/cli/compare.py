"""`vlfau compare`: a manifest with codes and the tables of several tools in, their scores side by side out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vlfau.errors import ConfigError

__all__ = ["compare"]


def compare(
    manifest: Path,
    /,
    *tables: Path,
    out: Path | None = None,
    within: str | None = None,
    threshold: float = 0.5,
    intensity_threshold: float = 1.0,
    seed: int = 0,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Compare AU recognition tools on the same coded frames.

    Reports for every AU the area under the ROC curve, F1 and, where intensities are coded, ICC(3,1), with 95 %
    intervals from a bootstrap over subjects; their means over the AUs that all tools have; and the differences between
    the first tool and each other one. Frames in which a tool found no face are left out, and counted in separate rows
    with every AU inactive.

    Args:
        manifest: The manifest of coded frames; the pictures are not needed.
        tables: The output of each tool: a CSV file of vlfau, OpenFace 2, Py-Feat or LibreFace, or a folder with one CSV
            file per picture. Rows are matched to frames by the names of the pictures.
        out: Folder for compare.json, comparison.csv, comparison.md and comparison.png.
        within: A column of the manifest, such as expression, for a second AUC that compares only faces with the same
            value.
        threshold: Probability from which an AU counts as active, for tools that give no states.
        intensity_threshold: Intensity from which an AU counts as active, for AUs with an intensity but no state.
        seed: Random seed of the bootstrap.
        overwrite: Replace files in the output folder that vlfau did not write.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from vlfau.cli.console import output_console
    from vlfau.evaluation.comparison import compare_tools
    from vlfau.evaluation.comparison_results import Rules
    from vlfau.paper.comparison import comparison_notes, comparison_tables, write_comparison
    from vlfau.runs.output_folder import OutputFolder

    if not 0 < threshold < 1 or not 0 < intensity_threshold <= 5:
        raise ConfigError(
            "--threshold takes a probability between 0 and 1, and --intensity-threshold an intensity up to 5, not "
            f"{threshold:g} and {intensity_threshold:g}"
        )
    comparison = compare_tools(manifest, tables, Rules(threshold, intensity_threshold, within, seed))
    console = output_console()
    for text_table in comparison_tables(comparison):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=Text(text_table.title), title_justify="left")
        for head in text_table.heads:
            table.add_column(Text(head), justify="left" if head in {"Tool", "Name"} else "right")
        for row in text_table.rows:
            table.add_row(*map(Text, row))
        console.print(table)
    for note in comparison_notes(comparison):
        console.print(f"{note}.", markup=False)
    if out is not None:
        folder = OutputFolder(out, resume=False, overwrite=overwrite)
        try:
            folder.protect((manifest, *tables))
            written = write_comparison(comparison, lambda name: folder.claim(Path(name), "vlfau compare"))
        finally:
            folder.close()
        console.print(f"comparison: {written[2]}", markup=False)
    return 0
