"""The ablation of Table 4: the network built up part by part (section 4.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from vlfau.errors import ConfigError
from vlfau.evaluation.crossval import Announce, check_folds, finish_runs, fold_configs, write_mean_scores
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.scores import Scores, write_json
from vlfau.evaluation.tested import Scope
from vlfau.model.rivals.registry import VL_FAU
from vlfau.training import TrainConfig
from vlfau.training.run_folder import CONFIG_FILE

__all__ = ["ABLATION_FILE", "VARIANTS", "AblationRun", "Variant", "VariantScores", "ablate", "plan_ablation"]

ABLATION_FILE = "ablation.json"


@dataclass(frozen=True)
class Variant:
    """A row of Table 4.

    Attributes:
        number: As the table counts.
        name: The parts it has.
        switches: Those of `ModelConfig`.
    """

    number: int
    name: str
    switches: Mapping[str, Any]


def _variant(number: int, name: str, *, marl: bool, llga: bool, glga: bool) -> Variant:
    parts = {"multi_scale": marl, "dair": marl, "local_language": llga, "global_language": glga}
    return Variant(number, name, parts)


VARIANTS: Final = (
    _variant(1, "baseline", marl=False, llga=False, glga=False),
    _variant(2, "MARL", marl=True, llga=False, glga=False),
    _variant(3, "MARL + LLGA", marl=True, llga=True, glga=False),
    _variant(4, "MARL + GLGA", marl=True, llga=False, glga=True),
    _variant(5, "MARL + LLGA + GLGA", marl=True, llga=True, glga=True),
)
"""MARL: the combined scales and DAIR; LLGA and GLGA: the local and the global language model."""


@dataclass(frozen=True)
class AblationRun:
    """One run of an ablation.

    Attributes:
        variant: The row of Table 4 that it belongs to.
        folder: Holds the folds of its variant and seed.
        config: What to train, and where.
    """

    variant: Variant
    folder: Path
    config: TrainConfig


@dataclass(frozen=True)
class VariantScores:
    """What a variant scored.

    Attributes:
        variant: The row of Table 4.
        seeds: Of each seed the mean over folds, as `crossval` has it.
    """

    variant: Variant
    seeds: tuple[Scores, ...]


def ablate(
    config: TrainConfig,
    out: Path,
    *,
    seeds: Sequence[int],
    folds: Sequence[int] | None = None,
    numbers: Sequence[int] | None = None,
    name: str | None = None,
    scope: Scope | None = None,
    options: EvalOptions | None = None,
    announce: Announce | None = None,
) -> tuple[VariantScores, ...]:
    """Train and evaluate the five variants on every fold, each with every seed, and average over the folds.

    Row 5 of the paper's Table 4 is its row of Table 2: a mean over three folds. So is every row here, and variant 5
    equals `crossval` of the same configuration and seed.

    Can be stopped at any time; when it is called again, it resumes. Writes `variant1-seed1/fold1/` and so on, in
    `variant1-seed1/` the mean scores, and at the end `ablation.json`.

    Args:
        config: Its data.fold, data.validation, run.seed, run.output and the model's switches are replaced.
        out: The folder of the whole.
        seeds: Of the runs of every variant.
        folds: The folds to leave out; None takes those of the manifest.
        numbers: The variants wanted; None takes all five.
        name: What to call it; None takes the folder's name.
        scope: How much is measured.
        options: How to run the networks.
        announce: Is told of every run before it starts.

    Returns:
        Every variant with its scores, by number.

    Raises:
        InputError: The configuration or its data are wrong, or the folder holds other runs.
    """
    scope, options = scope or Scope(), options or EvalOptions()
    folds = check_folds(config, folds)
    planned = plan_ablation(config, out, seeds=seeds, folds=folds, numbers=numbers)
    finished = finish_runs([run.config for run in planned], root=out, scope=scope, options=options, announce=announce)
    scores: dict[Path, list[Scores]] = {}
    for run, each in zip(planned, finished, strict=True):
        scores.setdefault(run.folder, []).append(each)
    means = {folder: write_mean_scores(folder, folds, each, scope) for folder, each in scores.items()}
    variants = {run.variant.number: run.variant for run in planned}
    folders = {number: [_seed_folder(out, variant, seed) for seed in seeds] for number, variant in variants.items()}
    entries = [
        {"number": number, "name": variant.name, "folders": [folder.name for folder in folders[number]]}
        for number, variant in variants.items()
    ]
    about = {"kind": "ablation", "name": name or out.resolve().name, "folds": folds, "seeds": seeds}
    write_json(out / ABLATION_FILE, {**about, "variants": entries})
    return tuple(
        VariantScores(variant, tuple(means[folder] for folder in folders[number]))
        for number, variant in variants.items()
    )


def plan_ablation(
    config: TrainConfig,
    out: Path,
    *,
    seeds: Sequence[int],
    folds: Sequence[int],
    numbers: Sequence[int] | None = None,
) -> list[AblationRun]:
    """Return every run of an ablation, in the order in which they are trained.

    Args:
        config: As `ablate` takes it.
        out: The folder of the whole.
        seeds: Of the runs of every variant.
        folds: The folds to leave out.
        numbers: The variants wanted; None takes all five.

    Raises:
        ConfigError: The network is another method's, there is no seed, one is given twice, a variant is unknown, or
            the folder holds an ablation of one fold by an earlier version.
    """
    if config.model.method != VL_FAU:
        raise ConfigError(
            f"the five variants are of {VL_FAU}, and model.method is {config.model.method}; take it out of the "
            "configuration, or train this method with `vlfau crossval`"
        )
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigError(f"the seeds {list(seeds)} are none, or hold one twice; give each once, such as 1,2")
    variants = [variant for variant in VARIANTS if numbers is None or variant.number in numbers]
    if not variants or not set(numbers or ()) <= {variant.number for variant in VARIANTS}:
        raise ConfigError(f"the variants {list(numbers or ())} are not all among 1 to {len(VARIANTS)}; correct them")
    planned = []
    # Seed by seed and fold by fold, so that all variants can be compared as early as possible.
    for seed, fold, variant in product(seeds, folds, variants):
        folder = _seed_folder(out, variant, seed)
        if (folder / CONFIG_FILE).is_file():
            raise ConfigError(
                f"{folder} holds a run of one fold, as an earlier version left it; `vlfau report` still reads it, but "
                "an ablation over folds needs another folder, choose one with --out"
            )
        seeded = replace(config, model=replace(config.model, **variant.switches), run=replace(config.run, seed=seed))
        (run,) = fold_configs(seeded, folder, [fold])
        planned.append(AblationRun(variant, folder, run))
    return planned


def _seed_folder(out: Path, variant: Variant, seed: int) -> Path:
    return out / f"variant{variant.number}-seed{seed}"
