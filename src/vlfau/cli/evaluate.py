"""`vlfau evaluate`: a checkpoint and frames in, scores out."""

from pathlib import Path

__all__ = ["evaluate"]


def evaluate(
    checkpoint: Path,
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
) -> int:
    """Measure how well a checkpoint recognises action units, and how true its words are.

    The folder gets answers.npz (what the network says of every frame), captions.jsonl and scores.json. Where the
    manifest has other AUs than the network, those that both have are scored.

    Args:
        checkpoint: The folder that `vlfau train` left, such as runs/small-fold1/checkpoint.
        manifest: The table of frames.
        out: Folder for the results.
        fold: The fold to test; without it the one that the checkpoint never saw. "all" takes every frame: for
            faces of another data set.
        threshold: The probability from which an AU counts as active; without it the checkpoint's own, which is 0.5
            unless it was calibrated.
        describe: Describe the frames in words, and score the words.
        frames: Describe this many frames, evenly spaced, instead of all.
        batch_size: Faces at once.
        workers: Processes that read pictures, besides this one.
        data: What the faces are, for the tables; without it, what the checkpoint was trained on.
        synthetic: Whether the faces are synthetic; without it, as those that the checkpoint was trained on.
    """
    from vlfau.cli.console import print_notice
    from vlfau.cli.measuring import ProgressBar, numbers, print_scores
    from vlfau.evaluation import Look, Scope
    from vlfau.evaluation import evaluate as run
    from vlfau.training import read_papers

    known = read_papers(checkpoint).au_ids
    with ProgressBar("Frames") as progress:
        scores = run(
            checkpoint,
            manifest,
            out,
            fold="all" if fold == "all" else None if fold is None else numbers(fold, "--fold")[0],
            scope=Scope(threshold, describe, frames),
            look=Look(batch_size, workers, progress=progress),
            description=data,
            synthetic=synthetic,
        )
    missing = [au_id for au_id in known if au_id not in scores["au_ids"]]
    if missing:
        print_notice(
            f"the manifest has no labels of {', '.join(f'AU{au_id}' for au_id in missing)}, which the network knows "
            "too; the scores are of the others",
            title="note",
            style="yellow",
        )
    print_scores(scores, out)
    return 0
