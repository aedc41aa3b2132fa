"""Finished tables that are opened again lose none of their rows."""

import pytest

from tests.tables.made_up import a_model, a_run
from tests.tables.test_writers import COPIED, KINDS, RUN, names_in, rows_of, write
from vlfau.errors import InputError
from vlfau.tables.write import open_sink


@pytest.mark.parametrize("kind", KINDS)
def test_a_finished_file_can_be_gone_on_with(tmp_path, kind):
    whole = rows_of(write(tmp_path / f"whole.{kind}"))
    path = write(tmp_path / f"a.{kind}", RUN[:10])
    write(path, RUN, resume=True)
    assert rows_of(path) == whole
    write(path, [], resume=True)
    assert rows_of(path) == whole


class Killed(BaseException):
    """What stops a process at once, as far as a test of the same process can have it."""


@pytest.mark.parametrize("kind", COPIED)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_finished_file_survives_a_kill_while_it_is_opened_again(tmp_path, monkeypatch, kind, share):
    path = write(tmp_path / f"a.{kind}")
    whole = rows_of(path)

    def cut_off(source, target):
        content = source.read_bytes()
        target.write_bytes(content[: int(share * len(content))])
        raise Killed

    monkeypatch.setattr("shutil.copyfile", cut_off)
    monkeypatch.setattr("vlfau.files.atomic.Path.unlink", lambda self, missing_ok=False: None)
    with pytest.raises(Killed):
        open_sink(path, model=a_model(), resume=True)
    monkeypatch.undo()
    assert rows_of(path) == whole
    write(path, [], resume=True)
    assert rows_of(path) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_finished_file_survives_a_full_disk_while_it_is_opened_again(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", a_run(frames=60))
    whole = rows_of(path)
    resource = pytest.importorskip("resource", reason="this system limits no files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limits[1]))
    try:
        with pytest.raises(InputError, match="free disk space"):
            open_sink(path, model=a_model(), resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert rows_of(path) == whole
    write(path, [], resume=True)
    assert rows_of(path) == whole
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_finished_file_keeps_its_last_picture_when_its_input_is_gone(tmp_path, kind):
    """The copy is whole, and the run that made it was killed before it wrote a row."""
    path = write(tmp_path / f"a.{kind}", RUN[:5])
    whole = rows_of(path)
    open_sink(path, model=a_model(), resume=True).suspend()
    write(path, [], resume=True)
    assert rows_of(path) == whole


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx"])
def test_a_copy_that_a_kill_cut_off_is_removed_by_a_run_that_starts_over(tmp_path, kind):
    (tmp_path / f".a.{kind}.partial.copying").write_bytes(b"half of a table")
    write(tmp_path / f"a.{kind}")
    assert not [name for name in names_in(tmp_path) if "copying" in name]
