"""`vlfau report`: evaluated runs in, the paper's tables and figures out."""

from pathlib import Path

__all__ = ["report"]


def report(runs: Path, out: Path, /) -> int:
    """Write tables, figures and a page of evaluated runs beside what others published.

    Tables are kept as Markdown, CSV and LaTeX, figures as PNG and PDF; report.html holds all of it and needs no
    other file. What was measured on synthetic faces is labelled and never stands in a table with published scores.

    Args:
        runs: A folder that holds cross-validations and ablations, at any depth.
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
