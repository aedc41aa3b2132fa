import numpy as np
import pytest

from tests.inference.tiny_bundle import (
    AU_IDS,
    CROP_SIZE,
    GLOBAL_TEXTS,
    LOCAL_TEXTS,
    NEUTRAL_TEXTS,
    prob,
    write_tiny_bundle,
)
from vlfau.errors import BundleError, ConfigError, ImageError
from vlfau.inference.backend import GraphOutput, OrtBackend, _OrtGraph
from vlfau.inference.predictor import Predictor


def crops(*colours):
    return np.array([np.broadcast_to(np.uint8(colour), (CROP_SIZE, CROP_SIZE, 3)) for colour in colours], np.uint8)


def test_probabilities_are_those_of_the_logits(tiny_bundle):
    (result,) = Predictor(tiny_bundle).predict_crops(crops((255, 51, 102)))
    assert [au.au_id for au in result.aus] == list(AU_IDS)
    np.testing.assert_allclose([au.prob for au in result.aus], [prob(255), prob(51), prob(102)], atol=1e-6)
    assert result.aus[0].prob == pytest.approx(0.99331, abs=1e-5)
    assert [au.name for au in result.aus] == ["Inner Brow Raiser", "Cheek Raiser", "Lip Corner Puller"]


def test_an_au_is_active_from_its_own_threshold(tiny_bundle):
    # At 40 % of blue the probability is 0.27: over the threshold of AU12, not of the others.
    (result,) = Predictor(tiny_bundle).predict_crops(crops((102, 102, 102)))
    assert [au.state for au in result.aus] == [False, False, True]
    assert [au.label for au in result.active_aus] == ["AU12"]


def test_a_probability_equal_to_the_threshold_is_active(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "bundle", thresholds=(1.0, 0.0, float(prob(0))))
    (result,) = Predictor(bundle).predict_crops(crops((255, 0, 0)))
    assert [au.state for au in result.aus][1] is True


@pytest.mark.parametrize(
    ("describe", "texts"),
    [
        ("active", [LOCAL_TEXTS[0], None, LOCAL_TEXTS[2]]),
        ("every", list(LOCAL_TEXTS)),
        ("never", [None, None, None]),
    ],
)
def test_aus_get_the_words_that_are_asked_for(tiny_bundle, describe, texts):
    (result,) = Predictor(tiny_bundle, describe=describe).predict_crops(crops((255, 0, 200)))
    assert [au.local_caption for au in result.aus] == texts
    assert result.global_caption == (None if describe == "never" else NEUTRAL_TEXTS[0])


def test_a_face_in_which_nothing_acts_gets_a_global_text_only(tiny_bundle):
    (result,) = Predictor(tiny_bundle).predict_crops(crops((0, 10, 0)))
    assert result.active_aus == ()
    assert result.global_caption == NEUTRAL_TEXTS[1]


@pytest.mark.parametrize("beam_size", [1, 3, 8])
def test_a_gender_is_named_only_on_request(tiny_bundle, beam_size):
    neutral = Predictor(tiny_bundle, beam_size=beam_size)
    gendered = Predictor(tiny_bundle, beam_size=beam_size, gendered=True)
    colour = crops((0, 255, 0))
    assert neutral.predict_crops(colour)[0].global_caption == NEUTRAL_TEXTS[1]
    assert gendered.predict_crops(colour)[0].global_caption == GLOBAL_TEXTS[1]


def test_each_face_of_a_batch_gets_its_own_result_in_order(tiny_bundle):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)] * 7  # 21 faces, more than one batch
    results = Predictor(tiny_bundle).predict_crops(crops(*colours))
    assert [result.global_caption for result in results] == list(NEUTRAL_TEXTS) * 7
    assert [result.active_aus[0].au_id for result in results] == list(AU_IDS) * 7


def test_attention_maps_belong_to_their_au(tiny_bundle):
    (result,) = Predictor(tiny_bundle).predict_crops(crops((255, 0, 0)))
    np.testing.assert_allclose(result.aus[0].attention_map, [[5, 6], [7, 8]])
    np.testing.assert_allclose(result.aus[1].attention_map, [[-5, -4], [-3, -2]])


def test_a_bundle_may_have_words_for_aus_only(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "bundle", global_=False, max_global_length=0)
    (result,) = Predictor(bundle).predict_crops(crops((255, 0, 0)))
    assert (result.aus[0].local_caption, result.global_caption) == (LOCAL_TEXTS[0], None)


def test_a_bundle_may_have_words_for_the_face_only(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "bundle", local=False, max_local_length=0)
    (result,) = Predictor(bundle).predict_crops(crops((255, 0, 0)))
    assert (result.aus[0].local_caption, result.global_caption) == (None, NEUTRAL_TEXTS[0])


def test_a_bundle_may_have_no_words(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "bundle", local=False, global_=False, vocabulary=())
    (result,) = Predictor(bundle).predict_crops(crops((255, 0, 0)))
    assert result.aus[0].state
    assert (result.aus[0].local_caption, result.global_caption) == (None, None)


def test_no_crops_give_no_results(tiny_bundle):
    assert Predictor(tiny_bundle).predict_crops(np.zeros((0, CROP_SIZE, CROP_SIZE, 3), np.uint8)) == []


def test_crops_of_another_size_are_refused(tiny_bundle):
    with pytest.raises(ImageError, match=r"\(B, 16, 16, 3\) uint8 RGB, got \(1, 8, 8, 3\) uint8"):
        Predictor(tiny_bundle).predict_crops(np.zeros((1, 8, 8, 3), np.uint8))


def test_crops_that_are_no_array_are_refused(tiny_bundle):
    several = [np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint8)]
    with pytest.raises(
        ImageError, match=r"as one array \(B, 16, 16, 3\) uint8 RGB, got list; join several by numpy.st"
    ):
        Predictor(tiny_bundle).predict_crops(several)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads is 0"),
        ({"beam_size": 0}, "beam_size is 0"),
        ({"max_faces": 0}, "max_faces is 0"),
        ({"threads": "2"}, "threads is '2'; give a number from 1 to"),
        ({"beam_size": 1.5}, "beam_size is 1.5; give a number from 1 to"),
        ({"max_faces": "1"}, "max_faces is '1'; give a whole number of 1 or more, or None for all"),
        ({"describe": "all"}, "describe is 'all'; give one of active, every, never"),
    ],
)
def test_options_out_of_range_are_refused(tiny_bundle, options, message):
    with pytest.raises(ConfigError, match=message):
        Predictor(tiny_bundle, **options)


class BrokenBackend:
    """A runtime whose logits are not what the bundle promises."""

    def __init__(self, au_logits):
        self.au_logits = np.array(au_logits, np.float32)

    def encode(self, crops):
        return GraphOutput(self.au_logits, *(np.zeros(0, np.float32),) * 3)


@pytest.mark.parametrize("au_logits", [[[0, np.nan, 0]], [[0, np.inf, 0]], [[0, 0]]])
def test_a_model_that_gives_no_number_for_an_au_is_refused(tiny_bundle, au_logits):
    predictor = Predictor(tiny_bundle, backend=BrokenBackend(au_logits))
    with pytest.raises(BundleError, match=r"expected finite numbers \(1, 3\)"):
        predictor.predict_crops(crops((0, 0, 0)))


def test_a_graph_that_fails_is_named(tiny_bundle):
    backend = OrtBackend(tiny_bundle)
    with pytest.raises(BundleError, match=r"vision\.onnx failed on its inputs"):
        backend.encode(np.zeros((1, 8, 8, 3), np.uint8))


def test_many_faces_are_computed_a_few_at_a_time(tiny_bundle, monkeypatch):
    """On a CPU, the layers of more leave its cache."""
    backend, colours, counts = OrtBackend(tiny_bundle), [(place, 0, 0) for place in range(9)], []
    run = _OrtGraph.run
    monkeypatch.setattr(_OrtGraph, "run", lambda *given: (counts.append(len(given[2]["crops"])), run(*given))[1])
    together = backend.encode(crops(*colours)).au_logits
    assert counts == [4, 4, 1]
    alone = [backend.encode(crops(colour)).au_logits[0] for colour in colours]
    np.testing.assert_allclose(together, alone, rtol=1e-6)


def test_a_graph_of_another_shape_than_its_bundle_says_is_named(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "bundle", au_ids=(1, 6, 12, 25), thresholds=(0.5,) * 4)
    with pytest.raises(
        BundleError, match=r"vision\.onnx gives au_logits as float32 \(2, 3\), expected floats \(2, 4\)"
    ):
        OrtBackend(bundle).encode(crops((0, 0, 0), (9, 9, 9)))
