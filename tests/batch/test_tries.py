from vlfau.batch.tries import Tries


def test_files_that_were_begun_and_not_ended_are_remembered_whatever_else_is_in_the_file(tmp_path):
    path = tmp_path / "tries" / "unit"
    tries = Tries(path)
    for file in ("a", "a", "b"):
        tries.begin(file)
    tries.end("b")
    with path.open("ab") as stream:
        stream.write(b"\0\0\xff\na x 3\nb 1")
    again = Tries(path)
    assert [again.deaths(file) for file in "abc"] == [2, 0, 0]
    again.forget()
    assert Tries(path).deaths("a") == 0
