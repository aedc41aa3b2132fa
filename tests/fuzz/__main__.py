"""`python -m tests.fuzz`: damaged inputs by the thousand, and a table of what became of them."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import cyclopts
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.fuzz.engine import FINE, MB, Engine, Limits, Tally
from tests.fuzz.kinds import SHARES, counts

app = cyclopts.App()


@app.default
def fuzz(
    *,
    count: int = 10_000,
    seed: int = 0,
    kinds: str = "",
    only: Annotated[tuple[str, ...], cyclopts.Parameter(negative=())] = (),
    keep: Path = Path("build/fuzz"),
    seconds: float = 120.0,
) -> int:
    """Give damaged inputs to every public reader; the exit code is 1 if one fails otherwise than with a VlfauError.

    Args:
        count: Inputs in all.
        seed: Another number gives other damage.
        kinds: The kinds to try, such as pictures,videos.Mp4; all without it.
        only: An input to try again, such as pictures.Png:12; may be given several times.
        keep: Where to keep the inputs that fail.
        seconds: The limit for an input.
    """
    console = Console(width=None if sys.stdout.isatty() else 140)
    if only:
        chosen = [(kind, int(number)) for kind, _, number in (each.partition(":") for each in only)]
        numbers = {kind: [number for other, number in chosen if other == kind] for kind, _ in chosen}
    else:
        wanted = [name for name in SHARES if not kinds or any(name.startswith(each) for each in kinds.split(","))]
        numbers = {name: range(number) for name, number in counts(count, wanted).items()}
    with (
        tempfile.TemporaryDirectory(prefix="vlfau-fuzz-") as work,
        Engine(Path(work), keep, seed=seed, limits=Limits(seconds=seconds)) as engine,
        Progress(console=Console(stderr=True), transient=True) as bar,
    ):
        task = bar.add_task("Inputs", total=sum(map(len, numbers.values())))
        tallies = engine.run(numbers, lambda tally: bar.update(task, advance=1, description=tally.kind))
    console.print(_table(tallies))
    failures = [failure for tally in tallies for failure in tally.failures]
    for failure in failures:
        text = f"{failure.kind}:{failure.number} {failure.outcome}: {failure.detail} [{failure.files}]"
        console.print(text, markup=False, soft_wrap=True)
    return 1 if failures else 0


def _table(tallies: list[Tally]) -> Table:
    table = Table("kind", *("inputs", "accepted", "refused", "failures", "slowest", "peak", "by one input"))
    for column in table.columns[1:]:
        column.justify = "right"
    for tally in tallies:
        fine = [tally.outcomes[outcome] for outcome in FINE]
        memory = (f"{tally.peak // MB} MB", f"{tally.taken // MB} MB")
        numbers = [tally.outcomes.total(), *fine, len(tally.failures)]
        table.add_row(tally.kind, *map(str, numbers), f"{tally.slowest_s:.2f} s", *memory)
    fine = [sum(tally.outcomes[outcome] for tally in tallies) for outcome in FINE]
    table.add_section()
    table.add_row(
        "all",
        *(str(sum(tally.outcomes.total() for tally in tallies)), *map(str, fine)),
        *(str(sum(len(tally.failures) for tally in tallies)), "", "", ""),
    )
    return table


if __name__ == "__main__":
    sys.exit(app())
