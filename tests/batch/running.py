"""Runs archives in this process, and reads what they leave."""

import csv
from itertools import islice

import pandas

from vlfau.batch.archive import Archive
from vlfau.batch.folder import open_results_folder
from vlfau.batch.inputs import find_files, units_of
from vlfau.batch.journal import Journal
from vlfau.batch.worker import Job, Worker
from vlfau.tables.read import read_results


class KilledError(Exception):
    """Stands for the end of the driver."""


def process_here(source, out, options, *, retry=False, kill_after=None):
    """Do what `process_archive` does, without Ray; `kill_after` so many units the driver is gone."""
    bundle = options.predictor().bundle
    units = units_of(find_files(source))
    with open_results_folder(out, options, bundle) as (folder, token), Journal(folder.files, retry=retry) as journal:
        archive = Archive(Job(folder, token, options, dict(bundle.files)), units, journal)
        worker = Worker(archive.job)
        for unit in islice(archive.pending, kill_after):
            archive.record(worker.process(unit))
        if kill_after is not None:
            raise KilledError
        archive.finish()
        journal.finish(folder.errors)
        return archive.progress


def lines(path):
    """Read a CSV file as dicts; none if it is not there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def shards(out):
    """Return the names of all shards, as files.csv has them."""
    return sorted(path.relative_to(out / "results").as_posix() for path in (out / "results").rglob("*.parquet"))


def rows(out):
    """Return the rows of all shards, in order."""
    frames = [read_results(out / "results" / shard) for shard in shards(out)]
    return pandas.concat(frames, ignore_index=True).sort_values(["file", "frame", "face"], ignore_index=True)


def content(out):
    """Return everything that a run leaves for its user."""
    names = [out / "files.csv", out / "errors.csv", *(out / "results" / shard for shard in shards(out))]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in names if path.exists()}
