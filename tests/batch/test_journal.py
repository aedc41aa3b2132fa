import pytest

from tests.batch.running import lines
from vlfau.batch.journal import Journal, Outcome, Status
from vlfau.errors import InputError


def done(file, shard="s"):
    return Outcome(file=file, status=Status.DONE, shard=shard, frames=3, faces=2, id=f"id-{file}")


def failed(file, message="why, then"):
    return Outcome(file=file, status=Status.FAILED, kind="VideoError", message=message, id=f"id-{file}")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "files.csv"


def test_what_was_written_is_known_to_the_next_run(path):
    with Journal(path) as journal:
        journal.add([done("b", "sb"), failed("a")])
    with Journal(path) as journal:
        assert "id-a" in journal
        assert "id-c" not in journal
        assert list(journal) == [failed("a"), done("b", "sb")]
        assert journal.shards() == {"sb"}


def test_a_line_that_a_kill_cut_off_does_not_count(path):
    with Journal(path) as journal:
        journal.add([done("a")])
        journal.add([done("b")])
    path.write_bytes(path.read_bytes()[:-2])
    with Journal(path) as journal:
        assert [outcome.file for outcome in journal] == ["a"]
        journal.add([done("c")])
    assert [line["file"] for line in lines(path)] == ["a", "c"]


def test_of_several_lines_about_a_file_the_last_counts(path):
    with Journal(path) as journal:
        journal.add([failed("a")])
        journal.add([done("a")])
        journal.finish(path.with_name("errors.csv"))
    assert [(line["file"], line["status"]) for line in lines(path)] == [("a", "done")]


def test_retry_forgets_what_failed(path):
    with Journal(path) as journal:
        journal.add([done("a"), failed("b")])
    with Journal(path, retry=True) as journal:
        assert [outcome.file for outcome in journal] == ["a"]


def test_errors_are_listed_by_file_and_their_list_goes_when_there_are_none(path):
    errors = path.with_name("errors.csv")
    with Journal(path) as journal:
        journal.add([failed("b"), done("c"), failed("a")])
        journal.finish(errors)
        assert lines(errors) == [{"file": file, "kind": "VideoError", "message": "why, then"} for file in "ab"]
        journal.add([done("a"), done("b")])
        journal.finish(errors)
    assert not errors.exists()


def test_a_foreign_file_is_not_overwritten(path):
    path.write_text("mine\n")
    with pytest.raises(InputError, match="is not a list of processed files"):
        Journal(path)
    assert path.read_text() == "mine\n"
