"""`vlfau evaluate`: a checkpoint or a bundle and frames in, scores out."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from vlfau.errors import ConfigError

__all__ = ["evaluate"]


def evaluate(
    model: Path,
    manifest: Path,
    /,
    *,
    out: Path,
    fold: str | None = None,
    threshold: float | None = None,
    describe: bool = True,
    frames: int | None = None,
    batch_size: int = 32,
    workers: int = 0,
    data: str | None = None,
    synthetic: bool | None = None,
    allow_tuned: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Evaluate a model on a manifest: AU recognition, and the truth of its captions.

    Writes answers.npz (the predictions for every frame), captions.jsonl and scores.json. Only AUs that both the model
    and the manifest have are scored. Frames in which no face was found, listed in skipped.csv beside the manifest, are
    counted too.

    Args:
        model: Folder of a checkpoint, such as runs/small-fold1/checkpoint, or of a bundle, or the name of a bundle,
            such as default.
        manifest: The manifest of the frames.
        out: Folder for the results.
        fold: Test fold; if omitted, the fold that the checkpoint left out, or every frame for a bundle. "all" tests
            every frame, for another data set.
        threshold: Probability from which an AU counts as active; if omitted, the model's own thresholds, which are 0.5
            unless it was calibrated.
        describe: Generate captions and score them.
        frames: Caption this many evenly spaced frames instead of all.
        batch_size: Batch size.
        workers: Number of additional processes for reading pictures.
        data: Description of the faces, for the tables; if omitted, the training data of a checkpoint, or for a bundle
            what `vlfau prepare` or `vlfau synth` recorded beside the manifest.
        synthetic: Whether the faces are synthetic; if omitted, determined as for --data.
        allow_tuned: Score a model even if its probabilities and thresholds were calibrated on test subjects; every
            table marks it.
    """
    from vlfau.cli.console import print_notice
    from vlfau.cli.measuring import ProgressBar, print_scores
    from vlfau.evaluation.evaluate import evaluate as run
    from vlfau.evaluation.prediction_runner import EvalOptions
    from vlfau.evaluation.tested import Scope
    from vlfau.inference.bundle import load_bundle

    known = load_bundle(model).info.au_ids
    with ProgressBar("Frames") as progress:
        scores = run(
            model,
            manifest,
            out,
            fold=_one_fold(fold),
            scope=Scope(threshold, describe, frames),
            options=EvalOptions(batch_size, workers, progress=progress),
            description=data,
            synthetic=synthetic,
            allow_tuned=allow_tuned,
        )
    missing = [au_id for au_id in known if au_id not in scores.au_ids]
    if missing:
        print_notice(
            f"the manifest has no labels of {', '.join(f'AU{au_id}' for au_id in missing)}, which the network "
            "also predicts; they are not scored",
            title="note",
            style="yellow",
        )
    print_scores(scores, out)
    return 0


def _one_fold(text: str | None) -> int | Literal["all"] | None:
    """Parse the option --fold.

    Raises:
        ConfigError: It is neither a number nor "all".
    """
    if text is None or text == "all":
        return text  # type: ignore[return-value]
    if not (text.strip().isdecimal() and len(text) < 10):
        raise ConfigError(
            f"--fold takes one number, or all, not '{text}': a model leaves out one fold; evaluate each fold with its "
            "own model, or all of them with `vlfau crossval`"
        )
    return int(text)
