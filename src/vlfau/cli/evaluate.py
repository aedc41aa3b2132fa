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
    """Measure how well a model recognises action units, and how true its words are.

    The folder gets answers.npz (the predictions for every frame), captions.jsonl and scores.json. Where the
    manifest has other AUs than the model, those that both have are scored. Frames that skipped.csv beside the manifest
    lists, because no face was found in them, are counted too.

    Args:
        model: The folder of a checkpoint, such as runs/small-fold1/checkpoint, or of a bundle, or a bundle's name, such
            as default.
        manifest: The table of frames.
        out: Folder for the results.
        fold: The fold to test; without it the one that a checkpoint never saw, and every frame with a bundle. "all"
            takes every frame: for faces of another data set.
        threshold: The probability from which an AU counts as active; without it the model's own, which is 0.5
            unless it was calibrated.
        describe: Describe the frames in words, and score the words.
        frames: Describe this many frames, evenly spaced, instead of all.
        batch_size: Faces at once.
        workers: Processes that read pictures, besides this one.
        data: What the faces are, for the tables; without it, what a checkpoint was trained on, or what `vlfau prepare`
            or `vlfau synth` left beside the manifest of a bundle.
        synthetic: Whether the faces are synthetic; without it likewise.
        allow_tuned: Score a model although its probabilities and thresholds were calibrated on people who are tested;
            every table marks it.
    """
    from vlfau.cli.console import print_notice
    from vlfau.cli.measuring import ProgressBar, print_scores
    from vlfau.evaluation import EvalOptions, Scope
    from vlfau.evaluation import evaluate as run
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
            f"the manifest has no labels of {', '.join(f'AU{au_id}' for au_id in missing)}, which the network knows "
            "too; the scores are of the others",
            title="note",
            style="yellow",
        )
    print_scores(scores, out)
    return 0


def _one_fold(text: str | None) -> int | Literal["all"] | None:
    """Read the option --fold.

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
