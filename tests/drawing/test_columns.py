from vlfau.drawing.overlay import Columns


def test_a_face_keeps_its_column_while_others_come_and_go():
    columns = Columns(3)
    assert columns.assign([1, 2, 3], 0.0) == (1, 2, 3)
    assert columns.assign([3, 2], 0.5) == (1, 2, 3)
    assert columns.assign([3], 9.0) == (1, 2, 3)


def test_a_newcomer_gets_the_column_of_a_face_that_is_long_gone():
    columns = Columns(1)
    columns.assign([1], 0.0)
    assert columns.assign([2], 0.9) == (1,)
    assert columns.assign([2], 1.1) == (2,)


def test_a_face_that_is_seen_is_never_displaced():
    columns = Columns(1)
    for tenth in range(50):
        assert columns.assign([2, 1] if tenth else [1], tenth / 10) == (1,)
