"""Does language help? Variants of Table 4 and controls, paired by seed and fold, at several sizes of training set.

    python -m studies.language_gain configs/bp4d-like.yaml runs/language-bp4d-like --background

trains every variant on every fold with every seed, on 10, 20 and all people, and writes `study.md` and `study.json`:
each variant's mean F1, and its gain over the plain baseline and over the branches without language, with 95 % intervals
from draws of people and seeds together. Started again, it goes on where it stopped; `--background` leaves it running
after the terminal is closed, with its messages in `study.log`.

The controls: `shuffled` has the full network learn captions that changed places between AUs and faces, so the loss is
that of language and means nothing; `states` classifies the states and degrees that descriptions tell, with a loss that
starts at the same size and no words (`vlfau.model.rivals.described_states`); `states-held` does so with a loss that is
held near the size of the captions' loss all the time, for trainings of 500 steps.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import VlfauError
from vlfau.evaluation.ablation import VARIANTS
from vlfau.evaluation.au_metrics import f1_draws, interval_of, mean_of_known
from vlfau.evaluation.crossval import check_folds, finish_runs, fold_configs, fold_folder
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.scores import SCORES_FILE, read_scores, write_json
from vlfau.evaluation.tested import Scope
from vlfau.files.atomic import replacing
from vlfau.training import TrainConfig, read_config
from vlfau.training.controls import CaptionControl

FULL, VISION, BASELINE = "5", "2", "1"
HELD: Final = "states-held"
CONTROLS: Final = ("shuffled", "states", HELD)
NAMES: Final = (*(str(variant.number) for variant in VARIANTS), *CONTROLS)
ALL: Final = "all"
TITLES: Final[Mapping[str, str]] = {
    **{str(variant.number): f"({variant.number}) {variant.name}" for variant in VARIANTS},
    "shuffled": "control: (5) with captions shuffled between AUs",
    "states": "control: (2) with states and degrees classified, no words",
    HELD: "control: the same, its loss held near the size of the captions' loss",
}
ACTIVE_FIRST: Final = 0.5
CAPTION_END: Final = 0.6
"""A caption loss at the end of 500 steps: 0.72 with BP4D's AUs, 0.52 with DISFA's; other lengths end elsewhere."""
GAINS: Final = (0.4, 1.1)
"""The smallest and the largest gain that the paper reports for language, in points of F1."""
PAPERS_SUBJECTS: Final = 41
CONFIDENT, POWERFUL = 1.96, 0.84
"""Standard normal quantiles of a two-sided test at 5 % and of a power of 80 %."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a study trains.

    Attributes:
        names: Variants and controls.
        folds: Test folds.
        seeds: Seeds.
        sizes: Numbers of training people; None for all.
    """

    names: tuple[str, ...]
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    sizes: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Gain:
    """How much more one variant scores than another, in points of F1.

    Attributes:
        name: The variant.
        over: The other.
        mean: Mean over folds and seeds.
        interval: Of 95 %.
        subjects: Number of tested people.
        pairs: Number of finished pairs of a fold and a seed.
    """

    name: str
    over: str
    mean: float
    interval: tuple[float, float]
    subjects: int
    pairs: int = 1

    def needed(self, gain: float) -> int:
        """Return the people that a study needs to see a gain with a power of 80 %, if it varies as it does here."""
        error = (self.interval[1] - self.interval[0]) / (2 * CONFIDENT)
        return int(np.ceil(self.subjects * ((CONFIDENT + POWERFUL) * error / gain) ** 2))


def variant_config(config: TrainConfig, name: str, *, seed: int, size: int | None) -> TrainConfig:
    """Return what a variant or a control trains.

    Args:
        config: The shared recipe; captions of active AUs come first for half of the faces unless it says otherwise.
        name: One of `NAMES`.
        seed: Of the run.
        size: Number of training people; None for all.
    """
    number = {"shuffled": FULL, "states": VISION, HELD: VISION}.get(name, name)
    switches = next(variant.switches for variant in VARIANTS if str(variant.number) == number)
    model = replace(config.model, **switches)
    run = replace(config.run, seed=seed, active_first=config.run.active_first or ACTIVE_FIRST)
    if name.startswith("states"):
        model = replace(model, method="described-states", dair=False)
    if name == HELD:
        model = replace(model, method_options={"end_size": CAPTION_END})
    if name == "shuffled":
        run = replace(run, caption_control=CaptionControl.SHUFFLED)
    return replace(config, model=model, run=run, data=replace(config.data, train_subjects=size))


def run_folder(out: Path, name: str, *, seed: int, size: int | None) -> Path:
    """Return the folder of a variant's folds."""
    return out / f"{ALL if size is None else size}-people" / f"{name}-seed{seed}"


def planned(config: TrainConfig, out: Path, plan: Plan) -> Iterator[TrainConfig]:
    """Yield every run; all variants of one size, seed and fold follow each other, so that pairs are complete early."""
    for seed in plan.seeds:
        for size in reversed(plan.sizes):
            for fold in plan.folds:
                for name in plan.names:
                    variant = variant_config(config, name, seed=seed, size=size)
                    yield from fold_configs(variant, run_folder(out, name, seed=seed, size=size), [fold])


@dataclass(frozen=True, eq=False)
class Scored:
    """What a run scored.

    Attributes:
        f1: Macro F1.
        draws: The same of people drawn with replacement, (R,); equal folds draw equal people.
        people: The tested people.
    """

    f1: float
    draws: FloatArray
    people: tuple[str, ...]


Source = Callable[[str, int, int, int | None], Scored | None]
"""Returns the score of a variant, fold, seed and size; None if the run is not finished."""


def folder_source(out: Path) -> Source:
    """Return what the runs in a folder scored."""

    def scored(name: str, fold: int, seed: int, size: int | None) -> Scored | None:
        folder = fold_folder(run_folder(out, name, seed=seed, size=size), fold)
        if not (folder / SCORES_FILE).is_file():
            return None
        predictions, scores = Predictions.load(folder), read_scores(folder)
        draws = mean_of_known(f1_draws(predictions, np.asarray(scores.threshold, np.float64), seed=fold), axis=1)
        return Scored(float(scores.f1_macro or np.nan), draws, tuple(sorted(set(predictions.subject_ids))))

    return scored


def gain(source: Source, name: str, over: str, plan: Plan, *, size: int | None) -> Gain | None:
    """Return the gain of one variant over another, paired by seed and fold; None if no pair is finished.

    Each of the R draws takes people of every fold and seeds with replacement, the same for both variants and the same
    seeds in all folds.
    """
    means, differences, places, people = [], [], [], set[str]()
    for fold in plan.folds:
        for place, seed in enumerate(plan.seeds):
            one, other = (source(each, fold, seed, size) for each in (name, over))
            if one is not None and other is not None:
                means.append(one.f1 - other.f1)
                differences.append(one.draws - other.draws)
                places.append(place)
                people |= {*one.people}
    if not means:
        return None
    stacked, rng = np.stack(differences), np.random.default_rng(0)  # (pairs, R)
    seeds, rows = np.unique(places, return_inverse=True)
    times = rng.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)), size=stacked.shape[1])  # (R, seeds)
    weights = times.T[rows]  # (pairs, R)
    drawn = (weights * stacked).sum(0) / weights.sum(0)
    interval = interval_of(100 * drawn) or (np.nan, np.nan)
    return Gain(name, over, 100 * float(np.mean(means)), interval, len(people), len(means))


def mean_f1(source: Source, name: str, plan: Plan, *, size: int | None) -> float | None:
    """Return a variant's mean F1 over its finished folds and seeds, in percent; None without any."""
    runs = [source(name, fold, seed, size) for seed in plan.seeds for fold in plan.folds]
    found = [run.f1 for run in runs if run is not None]
    return 100 * float(np.mean(found)) if found else None


def write_report(source: Source, title: str, out: Path, plan: Plan) -> str:
    """Write `study.md` and `study.json`, and return the Markdown.

    Args:
        source: What the runs scored.
        title: The data.
        out: Folder of the files.
        plan: What was to be trained; rows without a finished run are left out.
    """
    wanted = len(plan.folds) * len(plan.seeds)
    lines = [
        "# Does language help?",
        "",
        f"{title}: folds {_joined(plan.folds)}, seeds {_joined(plan.seeds)}, paired; brackets hold 95 % intervals from "
        f"draws of people and seeds; points of F1. A row has {wanted} runs when it is finished.",
        "",
        "| people | variant | runs | F1 | over (1) baseline | over (2) MARL |",
        "|---|---|---|---|---|---|",
    ]
    entries, rows = [], []
    for size in plan.sizes:
        for name in plan.names:
            score = mean_f1(source, name, plan, size=size)
            if score is None:
                continue
            gains = [
                gain(source, name, over, plan, size=size) if over != name and over in plan.names else None
                for over in (BASELINE, VISION)
            ]
            runs = sum(source(name, fold, seed, size) is not None for fold in plan.folds for seed in plan.seeds)
            rows.append((size, name, gains))
            lines.append(f"| {size or ALL} | {TITLES[name]} | {runs} | {score:.1f} | {' | '.join(map(_text, gains))} |")
            entries.append({"people": size, "variant": name, "runs": runs, "f1_macro": score} | _entries(gains))
    lines += ["", *_power(rows)]
    text = "\n".join(lines).rstrip() + "\n"
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "study.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    about = {"kind": "language-gain", "folds": plan.folds, "seeds": plan.seeds}
    write_json(out / "study.json", {**about, "rows": entries})
    return text


def _power(rows: Sequence[tuple[int | None, str, list[Gain | None]]]) -> Iterator[str]:
    """Yield what a data set would need to show the paper's gains, by the spread measured here on all people."""
    for size, name, gains in rows:
        found = gains[1]
        if size is None and name == FULL and found is not None:
            needs = " and ".join(f"{gain} points {found.needed(gain)} people" for gain in GAINS)
            yield (
                "To see the paper's gains of (5) over (2) with a power of 80 %, if they vary as here: "
                f"{needs}; BP4D has {PAPERS_SUBJECTS}."
            )


def _entries(gains: Sequence[Gain | None]) -> dict[str, object]:
    return {
        f"over_{found.over}": {
            "mean": found.mean,
            "interval": found.interval,
            "subjects": found.subjects,
            "pairs": found.pairs,
        }
        for found in gains
        if found is not None
    }


def _text(found: Gain | None) -> str:
    return "-" if found is None else f"{found.mean:+.1f} [{found.interval[0]:+.1f}, {found.interval[1]:+.1f}]"


def _joined(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m studies.language_gain", description=__doc__.split("\n")[0])
    parser.add_argument("config", type=Path, help="configuration of the full network, such as configs/bp4d-like.yaml")
    parser.add_argument("out", type=Path, help="folder of all runs")
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--folds", default="", help="test folds; all of the manifest if omitted")
    parser.add_argument("--people", default=f"10,20,{ALL}", help="sizes of the training set")
    usual = ",".join(name for name in NAMES if name != HELD)
    parser.add_argument("--variants", default=usual, help=f"among {', '.join(NAMES)}; {HELD} is for short trainings")
    parser.add_argument("--set", action="append", default=[], dest="changes", help="a setting to change, repeatable")
    parser.add_argument("--background", action="store_true", help="go on after this terminal is closed")
    parser.add_argument("--report", action="store_true", help="only write the report of what is finished")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run the study."""
    arguments = _arguments(words)
    out: Path = arguments.out
    if arguments.background:
        out.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "studies.language_gain", *(word for word in words if word != "--background")]
        with (out / "study.log").open("ab") as log:
            started = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        print(f"runs as process {started.pid}; messages in {out / 'study.log'}")
        return 0
    try:
        config = read_config(arguments.config, arguments.changes)
        wanted = [int(fold) for fold in arguments.folds.split(",")] if arguments.folds else None
        plan = Plan(
            tuple(arguments.variants.split(",")),
            tuple(check_folds(config, wanted)),
            tuple(int(seed) for seed in arguments.seeds.split(",")),
            tuple(None if size == ALL else int(size) for size in arguments.people.split(",")),
        )
        if unknown := set(plan.names) - set(NAMES):
            print(f"unknown variants {', '.join(sorted(unknown))}; choose among {', '.join(NAMES)}", file=sys.stderr)
            return 2
        if not arguments.report:
            finish_runs(
                list(planned(config, out, plan)),
                root=out,
                scope=Scope(describe=False),
                options=EvalOptions(),
                announce=lambda name, number, total: print(f"run {number} of {total}: {name}", flush=True),
            )
        title = config.data.description or config.data.manifest.parent.name
        print(write_report(folder_source(out), title, out, plan))
    except VlfauError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
