import csv
import io

from vlfau.paper.table_formats import Cell, Mark, Row, Table, to_csv, to_latex, to_markdown


def table(**changes):
    rows = (
        Row(("A_1",), (Cell(50.04), Cell(None))),
        Row(("B & co",), (Cell(49.96, footnote="a"), Cell(1.0, "± 0.5"))),
        Row(("C|d",), (Cell(30.0), Cell(2.0))),
    )
    settings = {"key": "t", "title": "F1, in %", "label_heads": ("Who",), "heads": ("x", "y"), "rows": rows}
    return Table(**{**settings, "footnotes": (("a", "as printed"),), **changes})


def test_the_best_and_second_stand_out_and_equals_as_printed_share_a_mark():
    shown = table()
    assert [shown.mark(row, 0) for row in shown.rows] == [Mark.BEST, Mark.BEST, Mark.SECOND]
    assert [shown.mark(row, 1) for row in shown.rows] == [Mark.NONE, Mark.SECOND, Mark.BEST]


def test_nothing_stands_out_alone_or_unranked():
    alone = table(rows=table().rows[:1])
    unranked = table(ranked=False)
    assert alone.mark(alone.rows[0], 0) == Mark.NONE
    assert {unranked.mark(row, 0) for row in unranked.rows} == {Mark.NONE}


def test_markdown_marks_escapes_and_explains():
    lines = to_markdown(table()).splitlines()
    assert lines[0] == "**F1, in %**"
    assert lines[2:] == [
        "| Who | x | y |",
        "| --- | ---: | ---: |",
        "| A\\_1 | **50.0** | - |",
        "| B & co | **50.0**<sup>a</sup> | <u>1.0</u> ± 0.5 |",
        "| C\\|d | <u>30.0</u> | **2.0** |",
        "",
        "<sup>a</sup> as printed  ",
    ]


def test_latex_marks_and_escapes():
    text = to_latex(table())
    assert r"\caption{F1, in \%}" in text
    assert r"A\_1 & \textbf{50.0} & - \\" in text
    assert r"B \& co & \textbf{50.0}\textsuperscript{a} & \underline{1.0} {\scriptsize $\pm$ 0.5} \\" in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_csv_holds_bare_numbers_and_says_what_faces_they_are_of():
    first, second, third = csv.DictReader(io.StringIO(to_csv(table(synthetic=True))))
    assert (first["Who"], first["x"], first["y"], first["faces"]) == ("A_1", "50.04", "", "synthetic")
    assert second["notes"] == "y ± 0.5; as printed"
    assert third["y"] == "2"
