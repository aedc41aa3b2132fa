"""What a rehearsal asks of the data: folds, pictures and active AUs."""

from collections.abc import Sequence

from vlfau.data import FrameDataset, Manifest, read_manifest
from vlfau.errors import ManifestError
from vlfau.evaluation.rehearsal.checks import Found, Status
from vlfau.evaluation.rehearsal.work import DataCount
from vlfau.facs import action_unit
from vlfau.language import Vocabulary
from vlfau.training import TrainConfig

__all__ = ["active_aus", "pictures", "readable", "unique_pictures"]


def readable(config: TrainConfig) -> Found[Manifest]:
    """Read the manifest with everything that it names.

    Raises:
        ManifestError: It is wrong, or a picture is missing.
    """
    manifest = read_manifest(config.data.manifest, config.data.au_ids())
    return Found(manifest, f"{manifest.path}: {len(manifest.frames):,} frames, {len(manifest.au_ids)} AUs")


def unique_pictures(manifest: Manifest, counts: DataCount) -> Found[None]:
    """Make sure that no picture stands in two rows; that no subject has two folds, the reader has made sure of.

    Raises:
        ManifestError: One does.
    """
    seen = set()
    for frame in manifest.frames:
        if frame.image in seen:
            raise ManifestError(
                f"{manifest.path} names {frame.image} twice, so it could train and test the same network; remove one "
                "of the rows"
            )
        seen.add(frame.image)
    people = ", ".join(f"fold {each.fold}: {each.subjects} people, {each.frames:,} frames" for each in counts.folds)
    return Found(None, f"each person is in one fold, each picture once ({people})")


def pictures(config: TrainConfig, sample: Manifest) -> Found[None]:
    """Open all pictures of a sample, as training does.

    Raises:
        ManifestError: One is damaged, not square or too small.
    """
    vocabulary = Vocabulary.for_aus(sample.au_ids)
    side = config.data.aligned_size
    faces = FrameDataset(sample, vocabulary, crop_size=config.model.crop_size, aligned_size=side, words=False)
    for place in range(len(faces)):
        _ = faces[place]
    return Found(None, f"{len(faces)} of them, of every person, can be read and have {side} x {side} pixels or more")


def active_aus(counts: DataCount, folds: Sequence[int], source: str) -> Found[None]:
    """Make sure that every AU is active in every fold that is tested.

    Raises:
        ManifestError: One never is, so that its F1 there is 0 or undefined whatever the network learns.
    """
    lacking = [
        f"{', '.join(names)} in fold {each.fold}"
        for each in counts.folds
        if each.fold in folds and (names := _never(counts.au_ids, each.positives))
    ]
    if lacking:
        raise ManifestError(
            f"{source} never shows {'; '.join(lacking)} as active, so its F1 there means nothing; leave it out of "
            "data.aus, or deal the people to the folds anew"
        )
    fewest = min(
        (count, action_unit(au_id).label, each.fold)
        for each in counts.folds
        if each.fold in folds
        for au_id, count in zip(counts.au_ids, each.positives, strict=True)
    )
    says = f"every AU is active in every fold, {fewest[1]} the least: {fewest[0]:,} frames of fold {fewest[2]}"
    return Found(None, says, Status.OK)


def _never(au_ids: Sequence[int], positives: Sequence[int]) -> list[str]:
    return [action_unit(au_id).label for au_id, count in zip(au_ids, positives, strict=True) if not count]
