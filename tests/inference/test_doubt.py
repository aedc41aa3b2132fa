"""A masked mouth: its AUs are marked wherever a user looks."""

from io import StringIO

import cv2
import numpy as np
import pytest
from rich.console import Console

from tests.measures.test_quality import MASK
from vlfau.app.markup import live_html
from vlfau.cli.formatting import face_table
from vlfau.drawing.faces import draw_card
from vlfau.faces import FaceFinder
from vlfau.inference.predictor import Predictor
from vlfau.media.images import read_image
from vlfau.tables.table import Table


@pytest.fixture(scope="module")
def predictor():
    return Predictor(describe="never")


@pytest.fixture(scope="module")
def bare(predictor, astronaut):
    return predictor.predict(read_image(astronaut), names="bare.png")[0]


@pytest.fixture(scope="module")
def masked(predictor, astronaut):
    image = read_image(astronaut)
    (face,) = FaceFinder().find(image)
    cv2.fillPoly(image, [face.landmarks_xy[MASK].astype(np.int32)], (150, 190, 220), cv2.LINE_AA)
    return predictor.predict(image, names="masked.png")


def test_the_aus_of_a_masked_mouth_are_doubtful_and_those_of_the_brows_are_not(masked, bare):
    doubtful = {au.au_id for au in masked[0].doubtful_aus}
    assert {9, 10, 12, 15, 17, 25} <= doubtful
    assert not {1, 2, 4, 5, 6, 7} & doubtful
    assert masked[0].doubt_text.startswith("AU 9, 10, 12, ")
    assert masked[0].doubt_text.endswith(", 28 are doubtful: the lower face is hidden.")
    assert masked[0][12].to_dict()["doubtful"] is True
    assert (bare.doubtful_aus, bare.doubt_text) == ((), "")
    assert "doubtful" not in bare[12].to_dict()


def test_the_mark_stays_without_the_crop(masked):
    kept = masked[0].without_arrays()
    assert [au.au_id for au in kept.doubtful_aus] == [au.au_id for au in masked[0].doubtful_aus]
    assert kept.doubt_text == masked[0].doubt_text


def test_the_native_table_names_them_and_keeps_their_numbers(masked, predictor):
    (row,) = Table("native", predictor.bundle.info).rows(masked)
    assert "12" in row["doubtful_aus"].split()
    assert row["AU12_prob"] == pytest.approx(masked[0][12].prob, abs=1e-4)


def test_the_terminal_the_page_and_drawings_mark_them(masked, bare, predictor):
    def printed(face):
        console = Console(width=100, record=True, file=StringIO())
        console.print(face_table(face, title="face 1", width=100))
        return console.export_text()

    assert "doubtful: the lower face is hidden." in " ".join(printed(masked[0]).split())
    assert f"{'active' if masked[0][12].state else 'inactive'}?" in printed(masked[0])
    assert "?" not in printed(bare)
    assert '"state">doubtful<' in live_html([masked[0]], predictor.bundle.info)
    assert "doubtful" not in live_html([bare], predictor.bundle.info)
    assert draw_card(masked[0], 1).height > draw_card(bare, 1).height  # It has a line that says why.


def test_a_tiny_crop_says_nothing_about_what_is_hidden(tiny_bundle, astronaut):
    assert Predictor(tiny_bundle, describe="never").predict(astronaut)[0].doubtful_aus == ()
