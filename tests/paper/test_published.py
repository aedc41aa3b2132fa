import pytest

from vlfau.paper.published import read_published


def test_every_method_of_the_papers_tables_has_its_row():
    methods = read_published().methods
    names = {
        (measure, au_set): {method.name for method in methods if au_set in getattr(method, measure)}
        for measure in ("f1", "accuracy")
        for au_set in ("bp4d", "disfa")
    }
    both = {"JAA-Net", "UGN-B", "HMP-PS", "FAU-Trans", "ME-GraphAU", "KDSRL", "KS", "AAR", "SMA-ViT", "SEV-Net"}
    assert names["f1", "disfa"] == both | {"VL-FAU"}
    assert names["f1", "bp4d"] == both | {"VL-FAU", "LGRNet"}
    assert names["accuracy", "bp4d"] == names["accuracy", "disfa"] == {"JAA-Net", "UGN-B", "VL-FAU"}


def test_printed_averages_are_those_of_the_cells_but_for_three_misprints():
    published = read_published()
    off = {
        (method.name, measure, au_set): round(score.mean_of_cells, 1)
        for method in published.methods
        for measure in ("f1", "accuracy")
        for au_set, score in getattr(method, measure).items()
        if score.mean_is_off
    }
    assert off == {
        ("UGN-B", "f1", "disfa"): 59.4,
        ("HMP-PS", "f1", "disfa"): 51.1,
        ("UGN-B", "accuracy", "disfa"): 93.6,
    }
    assert not any(variant.f1["bp4d"].mean_is_off for variant in published.variants)


def test_the_full_variant_of_table_4_is_the_method_of_table_2():
    published = read_published()
    (method,) = (method for method in published.methods if method.name == "VL-FAU")
    assert published.variants[-1].f1["bp4d"] == method.f1["bp4d"]


@pytest.mark.parametrize(
    ("number", "local", "whole"), [(1, None, None), (2, None, None), (3, 86.3, None), (4, None, 64.4), (5, 86.6, 64.7)]
)
def test_only_variants_with_language_have_a_word_accuracy(number, local, whole):
    variant = read_published().variants[number - 1]
    assert (variant.local_top5, variant.global_top5) == (local, whole)
    assert (local is not None) == ("LLGA" in variant.parts)
    assert (whole is not None) == ("GLGA" in variant.parts)
