"""`vlfau ablate`: a configuration in, the five variants of the paper's Table 4 out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vlfau.cli.protocol import ProtocolOptions

__all__ = ["ablate"]

_DEFAULTS = ProtocolOptions()


def ablate(
    config: Path,
    /,
    *,
    out: Path,
    seeds: str = "1",
    variants: str | None = None,
    options: ProtocolOptions = _DEFAULTS,
) -> int:
    """Run the ablation study of the paper's Table 4: train and evaluate five variants of the network.

    Resumes an interrupted run when called again.

    Args:
        config: YAML file as for `vlfau train`; data.fold, run.seed, run.output and the parts of the model are
            overridden.
        out: Folder for the runs.
        seeds: Random seeds, such as 1,2; every variant is trained once per seed.
        variants: Which of the five variants, such as 1,2,5; all if omitted.
        options: How the runs are prepared, evaluated and reported.
    """
    from vlfau.cli.console import output_console
    from vlfau.cli.measuring import ProgressBar, announce, numbers, variant_table
    from vlfau.evaluation.ablation import VARIANTS, plan_ablation
    from vlfau.evaluation.ablation import ablate as run
    from vlfau.evaluation.prediction_runner import EvalOptions
    from vlfau.evaluation.rehearsal import Task, network_key
    from vlfau.evaluation.tested import Scope
    from vlfau.training import TrainConfig, read_config

    settings, evaluating = read_config(config, options.changes), EvalOptions(options.batch_size)
    chosen = None if variants is None else numbers(variants, "--variants")
    seed_numbers = numbers(seeds, "--seeds")

    def planned(folds: Sequence[int]) -> list[TrainConfig]:
        runs = plan_ablation(settings, out, seeds=seed_numbers, folds=folds, numbers=chosen)
        return [each.config for each in runs]

    def train_and_evaluate(config: TrainConfig, out: Path, folds: Sequence[int], scope: Scope) -> None:
        run(config, out, seeds=seed_numbers[:1], folds=folds[:1], numbers=chosen, scope=scope, options=evaluating)

    folds, scope = options.chosen_folds, options.scope
    if options.rehearse:
        labels = {network_key(replace(settings.model, **each.switches)): f"({each.number})" for each in VARIANTS}
        task = Task(settings, out, planned, train_and_evaluate, folds, scope, evaluating, labels=labels)
        return options.rehearse_task(task)
    options.begin(settings, out, planned)
    with ProgressBar("Frames") as progress:
        scores = run(
            settings,
            out,
            seeds=seed_numbers,
            folds=folds,
            numbers=chosen,
            name=options.name,
            scope=scope,
            options=EvalOptions(options.batch_size, progress=progress),
            announce=announce,
        )
    console = output_console()
    console.print(variant_table(scores))
    console.print(f"runs: {out / 'ablation.json'}", markup=False)
    return options.end(out)
