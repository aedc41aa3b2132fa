"""The ablation of Table 4: the network built up part by part (section 4.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from vlfau.errors import ConfigError
from vlfau.evaluation.answering import Look
from vlfau.evaluation.evaluate import Scope
from vlfau.evaluation.runs import Announce, finish_runs
from vlfau.evaluation.scores import write_json
from vlfau.training import TrainConfig

__all__ = ["ABLATION_FILE", "VARIANTS", "Variant", "ablate"]

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


def ablate(
    config: TrainConfig,
    out: Path,
    *,
    seeds: Sequence[int],
    fold: int,
    numbers: Sequence[int] | None = None,
    name: str | None = None,
    scope: Scope | None = None,
    look: Look | None = None,
    announce: Announce | None = None,
) -> list[list[dict[str, Any]]]:
    """Train and evaluate the five variants on one fold, each with every seed.

    Can be stopped at any time; when it is called again, it goes on where it was. Writes `variant1-seed1/` and so
    on, and at the end `ablation.json`.

    Args:
        config: Its data.fold, data.validation, run.seed, run.output and the model's switches are replaced.
        out: The folder of the whole.
        seeds: Of the runs of every variant.
        fold: The fold to leave out.
        numbers: The variants wanted; None takes all five.
        name: What to call it; None takes the folder's name.
        scope: How much is measured.
        look: How to run the networks.
        announce: Is told of every run before it starts.

    Returns:
        For every variant the content of `scores.json` of each seed.

    Raises:
        InputError: The configuration or its data are wrong, or the folder holds other runs.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigError(f"the seeds {list(seeds)} are none, or hold one twice; give each once, such as 1,2")
    variants = [variant for variant in VARIANTS if numbers is None or variant.number in numbers]
    if not variants or not set(numbers or ()) <= {variant.number for variant in VARIANTS}:
        raise ConfigError(f"the variants {list(numbers or ())} are not all among 1 to {len(VARIANTS)}; correct them")
    folders = {variant.number: [f"variant{variant.number}-seed{seed}" for seed in seeds] for variant in variants}
    # Seed by seed, so that all variants can be compared as early as possible.
    order = [(place, variant) for place in range(len(seeds)) for variant in variants]
    configs = [
        replace(
            config,
            data=replace(config.data, fold=fold, validation=None),
            model=replace(config.model, **variant.switches),
            run=replace(config.run, seed=seeds[place], output=out / folders[variant.number][place]),
        )
        for place, variant in order
    ]
    scores = finish_runs(configs, scope=scope or Scope(), look=look or Look(), announce=announce)
    entries = [
        {"number": variant.number, "name": variant.name, "folders": folders[variant.number]} for variant in variants
    ]
    papers = {"kind": "ablation", "name": name or out.resolve().name, "fold": fold, "seeds": seeds}
    write_json(out / ABLATION_FILE, {**papers, "variants": entries})
    return [scores[row :: len(variants)] for row in range(len(variants))]
