"""Writes a data set: frames, manifest and data card."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.errors import InputError, VlfauError
from vlfau.facs import Side
from vlfau.files.atomic import remove_leftovers, replacing
from vlfau.files.same_settings import start_or_resume_folder
from vlfau.files.workers import MAX_WORKERS, check_number, follow_parent
from vlfau.synthetic.card import write_card
from vlfau.synthetic.clips import Clip, Shot, shoot, shoot_one
from vlfau.synthetic.components import components
from vlfau.synthetic.manifest import columns, read_rows, row
from vlfau.synthetic.pairs import switch_one
from vlfau.synthetic.presets import preset
from vlfau.synthetic.renderer import Renderer, Scene
from vlfau.synthetic.sampler import sampler
from vlfau.synthetic.settings import GENERATOR_VERSION, DatasetSettings, SubjectPlan, plan_subjects
from vlfau.synthetic.subject import Subject

__all__ = ["generate"]

SUBJECT, SCENE, PAIR = 1, 2, 3
"""Streams of random numbers."""
SUPERSAMPLING: Final = 2
PAIR_COLUMNS: Final = ("image", "partner", "subject", "fold", "au", "partner_has_it", "intensity")

Row = Mapping[str, str]


def generate(
    folder: Path,
    settings: DatasetSettings,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Generate a data set, or resume an interrupted run.

    Args:
        folder: The folder to write to. Subjects that exist already are kept.
        settings: The settings of the data set.
        workers: Number of processes; the frames are the same for any number.
        progress: Called with the number of subjects that are done and the number of all subjects.

    Returns:
        The path of the manifest.

    Raises:
        ConfigError: The number of workers is out of range.
        InputError: The folder contains other files, or a data set of other settings, or cannot be written.
        VlfauError: A worker died.
    """
    check_number("workers", workers, MAX_WORKERS)
    start_or_resume_folder(folder, {"generator": GENERATOR_VERSION} | asdict(settings))
    remove_leftovers(folder, below=True)
    plans = plan_subjects(settings)
    missing = [plan for plan in plans if not _rows_file(folder, plan).exists()]
    for count, _ in enumerate(_make_all(folder, settings, missing, workers), len(plans) - len(missing) + 1):
        if progress is not None:
            progress(count, len(plans))
    return _finish(folder, settings, plans)


def _make_all(folder: Path, settings: DatasetSettings, missing: Sequence[SubjectPlan], workers: int) -> Iterator[str]:
    if workers == 1 or len(missing) < 2:
        yield from (_make_subject(folder, settings, plan) for plan in missing)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), follow_parent) as pool:
        try:
            for done in as_completed([pool.submit(_make_subject, folder, settings, plan) for plan in missing]):
                yield done.result()
        except BrokenProcessPool:
            raise VlfauError(
                "a worker process died, perhaps for lack of memory; start the same command again with fewer --workers, "
                "and it will resume"
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@cache
def _renderer(size: int) -> Renderer:
    cv2.setNumThreads(1)
    return Renderer(size, SUPERSAMPLING)


def _make_subject(folder: Path, settings: DatasetSettings, plan: SubjectPlan) -> str:
    """Render all frames of a subject, and return the subject's name."""
    writer = _SubjectWriter(folder, settings, plan)
    try:
        writer.write()
    except OSError as error:
        raise InputError(f"cannot write to {folder} ({error.strerror or error}); choose another folder") from None
    return plan.name


class _SubjectWriter:
    """Writes the files of one subject; the table is written last and marks the subject as complete."""

    def __init__(self, folder: Path, settings: DatasetSettings, plan: SubjectPlan) -> None:
        self._folder, self._settings, self._plan = folder, settings, plan
        self._preset = preset(settings.preset)
        self._chances = components(self._preset.components)
        self._renderer = _renderer(settings.size)
        self._subject = Subject.sample(settings.seed, SUBJECT, plan.number, gender=plan.gender, chances=self._chances)
        self._rows: list[Row] = []
        self._pairs: list[Row] = []

    def write(self) -> None:
        settings, people_folder = self._settings, self._folder / "people"
        people_folder.mkdir(exist_ok=True)
        (self._folder / "frames" / self._plan.name).mkdir(parents=True, exist_ok=True)
        for number in range(settings.clips):
            serial = self._plan.number * settings.clips + number
            expressions = sampler(settings.preset).clip(settings.seed, serial, settings.frames)
            clip = Clip.sample(self._subject, expressions, self._chances, settings.seed, SCENE, serial)
            for frame, shot in enumerate(shoot(self._renderer, self._subject, clip)):
                self._write_frame(clip, shot, number, frame)
        if settings.pairs:
            _write_table(people_folder / f"{self._plan.name}-pairs.csv", PAIR_COLUMNS, self._pairs)
        _write_table(_rows_file(self._folder, self._plan), columns(self._preset), self._rows)

    def _write_frame(self, clip: Clip, shot: Shot, number: int, frame: int) -> None:
        """Write a frame, and its partner if there are pairs."""
        plan = self._plan
        stem = f"frames/{plan.name}/{number + 1:03d}-{frame + 1:04d}"
        image = f"{stem}.jpg"
        _write_image(self._folder / image, shot.image, clip.camera.quality)
        cells = (image, plan.name, str(plan.fold), plan.gender, str(number + 1), str(frame + 1))
        self._rows.append(row(cells, self._subject, clip, shot, self._preset, stills=self._settings.stills))
        if self._settings.regions:
            self._write_regions(shot.scene, f"{plan.name}/{number + 1:03d}-{frame + 1:04d}")
        if not self._settings.pairs:
            return
        switch = switch_one(shot.scene, self._preset, np.random.default_rng([*clip.seed, PAIR, frame]))
        partner = f"{stem}-au{switch.au_id}.jpg"
        other = shoot_one(self._renderer, self._subject, clip, switch.scene, frame)
        _write_image(self._folder / partner, other.image, clip.camera.quality)
        values = (image, partner, plan.name, str(plan.fold), str(switch.au_id), str(int(switch.turned_on)))
        self._pairs.append(dict(zip(PAIR_COLUMNS, (*values, f"{switch.intensity:.3f}"), strict=True)))

    def _write_regions(self, scene: Scene, stem: str) -> None:
        """Write a mask for every AU that is present, on the sides on which it is active."""
        expression = scene.expression
        present = [au_id for au_id in self._preset.au_ids if expression.intensity(au_id) >= self._preset.occurs_at]
        sides = {au_id: expression.acting_side(au_id) or Side.BOTH for au_id in present}
        (self._folder / "regions" / self._plan.name).mkdir(parents=True, exist_ok=True)
        for au_id, region in self._renderer.regions(self._subject, scene, sides).items():
            _, data = cv2.imencode(".png", np.round(255 * region).astype(np.uint8))
            _write_bytes(self._folder / "regions" / f"{stem}-au{au_id}.png", data)


def _write_image(path: Path, image: NDArray[np.uint8], quality: int) -> None:
    """Write a JPEG file atomically."""
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    _write_bytes(path, data)


def _write_bytes(path: Path, data: NDArray[np.uint8]) -> None:
    """Write a file atomically."""
    with replacing(path, sync=False) as temporary:  # The subject's table, written last, is synced.
        temporary.write_bytes(data.tobytes())


def _rows_file(folder: Path, plan: SubjectPlan) -> Path:
    return folder / "people" / f"{plan.name}.csv"


def _write_table(path: Path, names: Sequence[str], rows: Sequence[Row]) -> None:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _finish(folder: Path, settings: DatasetSettings, plans: Sequence[SubjectPlan]) -> Path:
    """Concatenate the tables of all subjects, and write the data card."""
    chosen = preset(settings.preset)
    rows = [found for plan in plans for found in read_rows(_rows_file(folder, plan))]
    if settings.pairs:
        files = [folder / "people" / f"{plan.name}-pairs.csv" for plan in plans]
        _write_table(folder / "pairs.csv", PAIR_COLUMNS, [found for file in files for found in read_rows(file)])
    write_card(folder, settings, chosen, rows)
    manifest = folder / "manifest.csv"
    _write_table(manifest, columns(chosen), rows)
    return manifest
