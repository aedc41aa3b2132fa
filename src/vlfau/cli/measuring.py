"""Shared by the commands that evaluate networks: progress bars, tables, lists of numbers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vlfau.cli.console import error_console, output_console, print_notice
from vlfau.errors import ConfigError
from vlfau.facs import action_unit

if TYPE_CHECKING:
    from vlfau.evaluation.ablation import VariantScores
    from vlfau.evaluation.scores import Scores
    from vlfau.training.config import DataConfig

__all__ = [
    "ProgressBar",
    "announce",
    "note_other_source",
    "numbers",
    "print_scores",
    "variant_table",
]

MEASURES = ("f1", "accuracy", "roc_auc", "average_precision", "ece")
TITLES = ("F1", "accuracy", "ROC-AUC", "avg. precision", "ECE")
WORDS = {
    "top-5 word accuracy": ("local_top5", "global_top5"),
    "  against canonical texts": ("local_top5_canonical", "global_top5_canonical"),
    "BLEU-4": ("local_bleu4", "global_bleu4"),
    "CIDEr-D (0 to 10)": ("local_cider_d", "global_cider_d"),
}


TEST_FOLD = "was chosen by the F1 on the test fold (run.epoch_choice test-fold)"


class ProgressBar:
    """A progress bar that is shown only during an operation, so that other output can appear in between.

    Call it with the number of steps done and their total; use it as a context manager.
    """

    def __init__(self, description: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=error_console(), transient=True)
        self._task = self._bar.add_task(description)

    def __enter__(self) -> Self:
        """Start without a bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps are done."""
        if not self._bar.live.is_started:
            self._bar.reset(self._task)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)
        if done >= total:
            self._bar.stop()


def announce(name: str, number: int, total: int) -> None:
    """Print which of several runs is next."""
    print_notice(f"{number} of {total}, {name}", title="run", style="bold cyan")


def note_other_source(data: "DataConfig") -> None:
    """Say so if a configuration describes other faces than those beside its manifest: tables show its description."""
    from vlfau.evaluation.tested import recorded_source

    recorded, described = recorded_source(data.manifest), data.description
    if recorded is None:
        return
    one, other = recorded.description.casefold(), described.casefold()
    if recorded.synthetic == data.synthetic and (one in other or other in one):
        return
    print_notice(
        f"tables will call these faces '{described}' ({'synthetic' if data.synthetic else 'real'}), but "
        f"{data.manifest.parent} holds '{recorded.description}'; to correct it, add "
        f'--set "data.description={recorded.description}" --set data.synthetic={str(recorded.synthetic).lower()}',
        title="note",
        style="yellow",
    )


def numbers(text: str, option: str) -> list[int]:
    """Parse a list such as "1,2,3".

    Raises:
        ConfigError: It is not a list of numbers.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise ConfigError(f"{option} takes numbers separated by commas, such as 1,2,3, not '{text}'; correct it")
    return [int(part) for part in parts]


def print_scores(scores: "Scores", folder: Path) -> None:
    """Print the tables of scores and their path."""
    console = output_console()
    for table in (_score_table(scores), _word_table(scores)):
        if table is not None:
            console.print(table)
    for note in score_notes(scores):
        print_notice(note, title="note", style="yellow")
    console.print(f"scores: {folder / 'scores.json'}", markup=False)


def score_notes(scores: "Scores") -> Iterator[str]:
    """Yield warnings about scores: what they leave out, and where they are optimistic."""
    network, without, lost = scores.network, scores.without_positives, scores.lost_frames
    if _epoch_by_test_fold(scores):
        yield f"the epoch {TEST_FOLD}: expect lower scores on new people"
    if network.trained_on_tested:
        yield (
            "judging by their number, these frames include those that the model was trained on: expect lower scores "
            "on new people"
        )
    if network.calibration is not None and network.calibration.on_tested_people:
        yield "the model was calibrated on test subjects: expect lower scores on new people"
    if scores.threshold_source == "given":
        yield "the threshold was given; if it was chosen by these scores, expect lower ones on new people"
    if without:
        names = ", ".join(action_unit(au_id).label for au_id in without)
        verb, have = ("is", "it has") if len(without) == 1 else ("are", "they have")
        yield (
            f"{names} {verb} never active in the tested frames: {have} no F1 and {verb} left out of the mean; counted "
            f"as 0, as the field's scripts do, the mean is {_number(scores.f1_macro_zeros)}"
        )
    if lost.get("frames"):
        f1_macro = scores.number("lost_frames.f1_macro")
        if f1_macro is None:
            also = "prepare the data set again to count them too"
        else:
            also = f"counting all their AUs as inactive, the mean F1 is {_number(f1_macro)}"
        yield f"{lost['frames']:,} frames without a face are not in the scores; {also}"


def _score_table(scores: "Scores") -> Table:
    """Return a table of every AU's scores and their means, with the interval of the macro F1."""
    kind = "synthetic faces" if scores.data.synthetic else scores.data.description or "frames"
    fold = "" if scores.fold is None else f", fold {scores.fold}"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = f"{scores.frames} frames of {scores.subjects} people ({kind}{fold})"
    for title in ("AU", "Name", *TITLES):
        table.add_column(title, justify="left" if title == "Name" else "right", no_wrap=True)
    for au_id in scores.au_ids:
        figures = (_number(scores.per_au(f"{measure}_per_au").get(au_id)) for measure in MEASURES)
        table.add_row(str(au_id), action_unit(au_id).name, *figures)
    table.add_section()
    table.add_row("", "mean", *(_number(scores.number(f"{measure}_macro")) for measure in MEASURES))
    table.add_row("", "all counted together", _number(scores.f1_micro))
    interval = scores.intervals.f1_macro
    if interval is not None:
        table.caption = f"95 % interval of the mean F1, over people: {interval[0]:.3f} to {interval[1]:.3f}"
    return table


def _word_table(scores: "Scores") -> Table | None:
    """Return a table of the caption scores, local and global; None if no captions were scored."""
    if not scores.words:
        return None
    table = Table("Words", box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("one AU", "whole face"):
        table.add_column(title, justify="right", no_wrap=True)
    for title, names in WORDS.items():
        table.add_row(title, *(_number(scores.number(f"words.{name}")) for name in names))
    for title, name in (("agree with prediction", "agrees_with_predicted"), ("agree with truth", "agrees_with_true")):
        table.add_row(title, *(_number(scores.number(f"truth.{kind}_{name}")) for kind in ("local", "global")))
    return table


def _epoch_by_test_fold(scores: "Scores") -> bool:
    """Return whether the epoch was chosen on the tested fold, or on one of the folds averaged."""
    of_folds = scores.fold is not None or bool(scores.per_fold)
    return of_folds and scores.network.epoch_choice == "test-fold"


def variant_table(variants: Sequence["VariantScores"]) -> Table:
    """Return a table with one row per variant: the mean over its seeds of the columns of Table 4."""
    table = Table("Variant", box=box.SIMPLE_HEAD, pad_edge=False)
    if any(scores.data.synthetic for each in variants for scores in each.seeds):
        table.title = "synthetic faces"
    if any(_epoch_by_test_fold(scores) for each in variants for scores in each.seeds):
        table.caption = f"† the epoch {TEST_FOLD}"
    for title in ("F1", "accuracy", "local top-5", "global top-5"):
        table.add_column(title, justify="right", no_wrap=True)
    names = ("f1_macro", "accuracy_macro", "words.local_top5_canonical", "words.global_top5_canonical")
    for each in variants:
        sign = " †" if any(map(_epoch_by_test_fold, each.seeds)) else ""
        means = (_mean([scores.number(name) for scores in each.seeds]) for name in names)
        table.add_row(f"({each.variant.number}) {each.variant.name}{sign}", *map(_number, means))
    return table


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
