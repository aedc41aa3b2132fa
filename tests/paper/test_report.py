import re
import shutil

import pytest

from tests.paper.built_runs import Data, write_ablation, write_crossval, write_run
from vlfau.errors import InputError
from vlfau.paper import write_report


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The report of a cross-validation and an ablation on drawn faces."""
    folder = tmp_path_factory.mktemp("whole")
    data = Data(folder / "data", frames=2)
    data.write_pictures()
    write_crossval(folder / "runs" / "cv", data, name="<b>small</b>")
    write_ablation(folder / "runs" / "ab", data, seeds=(1,))
    steps = []
    written = write_report(folder / "runs", folder / "out", progress=lambda done, total: steps.append((done, total)))
    return written, steps


def test_all_tables_and_figures_are_written_in_every_form(whole):
    written, steps = whole
    tables = {path.name for path in written.tables}
    figures = {path.name for path in written.figures}
    for number in ("1-disfa-f1", "2-bp4d-f1", "3-bp4d-accuracy", "3-disfa-accuracy", "4-ablation"):
        assert {f"table{number}{suffix}" for suffix in (".md", ".csv", ".tex")} <= tables
    for name in ("figure3-balance", "figure4-features1", "figure5-faces1", "intervals1"):
        assert {f"{name}.png", f"{name}.pdf"} <= figures
    assert all(path.stat().st_size > 100 for path in (*written.tables, *written.figures))
    assert steps == [(done, 6) for done in range(1, 7)]


def test_the_same_results_give_the_same_figures_on_any_day(whole):
    assert not any(b"/CreationDate" in path.read_bytes() for path in whole[0].figures if path.suffix == ".pdf")


def test_the_page_needs_nothing_else_and_says_first_what_is_synthetic(whole):
    page = whole[0].page.read_text(encoding="utf-8")
    sources = re.findall(r'\bsrc="([^"]{30})', page)
    assert len(sources) > 10
    assert all(source.startswith("data:image/") for source in sources)
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert not re.search(r"https?://|@import|url\(", page)
    assert "<script" not in page
    body = page[page.index("<main>") :]
    assert body.index("measured on synthetic faces") < body.index("<table")


def test_names_are_text_and_never_markup(whole):
    page = whole[0].page.read_text(encoding="utf-8")
    assert "&lt;b&gt;small&lt;/b&gt;" in page
    assert "<b>small" not in page


def test_the_page_holds_tables_figures_words_and_truth(whole):
    page = whole[0].page.read_text(encoding="utf-8")
    for words in (
        "ME-GraphAU",
        "Global captions: CIDEr-D",
        "Counterfactuals: the state flips",
        "This woman",
        "pointing",
        "swin_tiny trained from scratch",
    ):
        assert words in page
    assert page.count("synthetic faces</span>") > 5


def test_without_ablation_words_and_pictures_the_rest_is_written_and_the_lack_noted(tmp_path):
    data = Data(tmp_path / "data", frames=2)
    write_crossval(tmp_path / "runs", data)
    write_run(tmp_path / "runs" / "fold1", data, level=0.5, words=False)
    written = write_report(tmp_path / "runs", tmp_path / "out")
    notes = " ".join(written.notes)
    assert "no ablation" in notes
    assert "its pictures are no longer in" in notes
    page = written.page.read_text(encoding="utf-8")
    assert "its pictures are no longer in" in page
    assert "Faces and captions" not in page


def test_a_place_that_cannot_be_written_is_refused(tmp_path, data):
    write_ablation(tmp_path / "runs", data, seeds=(1,))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make the folder"):
        write_report(tmp_path / "runs", tmp_path / "file" / "out")


def test_answers_of_other_aus_than_the_scores_are_refused(tmp_path, data):
    write_ablation(tmp_path / "runs", data, seeds=(1,))
    write_run(tmp_path / "other", Data(data.folder, "bp4d"), level=0.5)
    for name in ("answers.npz", "captions.jsonl"):
        shutil.copy(tmp_path / "other" / name, tmp_path / "runs" / "variant5-seed1" / "fold1" / name)
    with pytest.raises(InputError, match="contains AUs .* but the scores beside it are for AUs"):
        write_report(tmp_path / "runs", tmp_path / "out")
