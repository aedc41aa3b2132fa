"""`vlfau compare-methods`: cross-validations of several methods in, one table of all out."""

from pathlib import Path

__all__ = ["compare_methods"]


def compare_methods(runs: Path, out: Path, /, *, time: bool = True) -> int:
    """Compare re-run methods with each other and with their published rows.

    One table per data set, as Markdown, CSV and LaTeX: F1 per AU and its mean with an interval by subject, AUC, the
    gain over the plain baseline, weights, GFLOPs, milliseconds per face on one thread, and training time. Re-run rows
    are labelled with their data. The rank correlation tells how far their order agrees with the published one.

    Args:
        runs: Folder with cross-validations (`vlfau crossval configs/rivals/...`), at any depth.
        out: Folder for the tables.
        time: Time the networks on this machine.
    """
    from vlfau.cli.console import output_console, print_notice
    from vlfau.paper.methods import compare_methods as compare
    from vlfau.paper.runs import unfinished_crossvals
    from vlfau.paper.table_formats import to_markdown

    console = output_console()
    for table in compare(runs, out, timed=time):
        console.print(to_markdown(table), markup=False, soft_wrap=True)  # a row of Markdown is one line
        console.print(f"table: {out / table.key}.md", markup=False)
    for folder in unfinished_crossvals(runs):
        print_notice(
            f"{folder} is left out: its folds are not finished; call the command that trains them again",
            title="note",
            style="yellow",
        )
    return 0
