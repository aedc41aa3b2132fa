"""`vlfau report`: evaluated runs in, the paper's tables and figures out."""

from pathlib import Path

__all__ = ["report"]


def report(runs: Path, out: Path, /) -> int:
    """Write the tables and figures of evaluated runs, beside published results.

    Tables are written as Markdown, CSV and LaTeX, figures as PNG and PDF; report.html contains everything in one file.
    Scores on synthetic faces are labelled and never share a table with published scores.

    Args:
        runs: Folder with cross-validations and ablations, at any depth.
        out: Folder for the report.
    """
    from rich.progress import Progress

    from vlfau.cli.console import error_console, output_console, print_notice
    from vlfau.paper import write_report

    with Progress(console=error_console(), transient=True) as bar:
        task = bar.add_task("Report", total=None)
        written = write_report(runs, out, progress=lambda done, total: bar.update(task, completed=done, total=total))
    for note in written.notes:
        print_notice(note, title="note", style="yellow")
    console = output_console()
    console.print(written.sentence, markup=False)
    console.print(f"report: {written.page}", markup=False)
    return 0
