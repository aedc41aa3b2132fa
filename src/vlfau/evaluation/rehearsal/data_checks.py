"""Checks of the data: manifest, folds, pictures and active AUs."""

from collections.abc import Sequence

from vlfau.data.dataset import FrameDataset
from vlfau.data.manifest import Manifest, read_manifest
from vlfau.errors import ManifestError
from vlfau.evaluation.rehearsal.checks import Outcome, Status
from vlfau.evaluation.rehearsal.workload import DataCount
from vlfau.facs import action_unit
from vlfau.language import Vocabulary
from vlfau.training import TrainConfig

__all__ = ["check_active_aus", "check_manifest", "check_pictures", "check_unique_pictures"]


def check_manifest(config: TrainConfig) -> Outcome[Manifest]:
    """Read the manifest, and make sure that its pictures exist.

    Raises:
        ManifestError: The manifest is wrong, or a picture is missing.
    """
    manifest = read_manifest(config.data.manifest, config.data.au_ids())
    return Outcome(manifest, f"{manifest.path}: {len(manifest.frames):,} frames, {len(manifest.au_ids)} AUs")


def check_unique_pictures(manifest: Manifest, counts: DataCount) -> Outcome[None]:
    """Make sure that no picture is in two rows. `read_manifest` checks that every subject is in one fold.

    Raises:
        ManifestError: A picture is in two rows.
    """
    seen = set()
    for frame in manifest.frames:
        if frame.image in seen:
            raise ManifestError(
                f"{manifest.path} names {frame.image} twice, so a network could be tested on a picture that it "
                "trained on; remove one of the rows"
            )
        seen.add(frame.image)
    folds = ", ".join(f"fold {each.fold}: {each.subjects} subjects, {each.frames:,} frames" for each in counts.folds)
    return Outcome(None, f"every subject is in one fold, and no picture occurs twice ({folds})")


def check_pictures(config: TrainConfig, manifest: Manifest, indices: Sequence[int]) -> Outcome[tuple[int, ...]]:
    """Open some pictures, as training does.

    Returns:
        The indices of those that can be used; if one cannot, the status is a problem and the message names the first.
    """
    side = config.data.aligned_size
    faces = FrameDataset(
        manifest, Vocabulary.for_aus(manifest.au_ids), crop_size=config.model.crop_size, aligned_size=side, words=False
    )
    usable: list[int] = []
    problems: list[str] = []
    for index in indices:
        try:
            _ = faces[index]
            usable.append(index)
        except ManifestError as error:
            problems.append(str(error))
    if problems:
        more = f" ({len(problems)} of the {len(indices)} opened pictures have problems)" if len(problems) > 1 else ""
        return Outcome(tuple(usable), problems[0] + more, Status.PROBLEM)
    message = f"{len(indices)} pictures, some of every subject, can be read and have at least {side} x {side} pixels"
    return Outcome(tuple(usable), message)


def check_active_aus(counts: DataCount, folds: Sequence[int], source: str) -> Outcome[None]:
    """Make sure that every AU is active in every test fold.

    Raises:
        ManifestError: An AU is never active in a fold, so its F1 there is 0 or undefined whatever the network learns.
    """
    missing = [
        f"{', '.join(names)} in fold {each.fold}"
        for each in counts.folds
        if each.fold in folds and (names := _never_active(counts.au_ids, each.positives))
    ]
    if missing:
        raise ManifestError(
            f"in {source}, no frame shows {'; '.join(missing)}, so its F1 there means nothing; leave it out of "
            "data.aus, or assign the subjects to the folds differently"
        )
    fewest = min(
        (count, action_unit(au_id).label, each.fold)
        for each in counts.folds
        if each.fold in folds
        for au_id, count in zip(counts.au_ids, each.positives, strict=True)
    )
    count, label, fold = fewest
    message = f"every AU is active in every fold; the rarest is {label} with {count:,} frames in fold {fold}"
    return Outcome(None, message)


def _never_active(au_ids: Sequence[int], positives: Sequence[int]) -> list[str]:
    return [action_unit(au_id).label for au_id, count in zip(au_ids, positives, strict=True) if not count]
