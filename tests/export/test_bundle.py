import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from tests.language.corrected import corrected_package, write_corrected
from vlfau.cli import main
from vlfau.errors import CheckpointError, ConfigError
from vlfau.export import export_bundle
from vlfau.inference.bundle import Bundle, load_bundle
from vlfau.inference.predictor import Predictor
from vlfau.language import Vocabulary, max_global_length, max_local_length, parse_local, parse_note
from vlfau.language.decoding import DecodingOptions, decode_captions
from vlfau.language.descriptions import default_descriptions, load_descriptions
from vlfau.language.descriptions_file import read_descriptions, write_descriptions
from vlfau.model import ModelConfig, build_vlfau
from vlfau.model.torch_backend import TorchStepper
from vlfau.training import Checkpoint, load_checkpoint, save_checkpoint

AU_IDS = (1, 4, 12, 25)
VOCABULARY = Vocabulary.for_aus(AU_IDS)
CONFIG = ModelConfig(
    backbone="resnet10t",
    crop_size=64,
    combined_dim=16,
    feature_dim=16,
    hidden_dim=16,
    embedding_dim=8,
)


def metadata(**changes):
    return Checkpoint(
        **{
            "model": CONFIG,
            "au_ids": AU_IDS,
            "vocabulary": tuple(VOCABULARY.to_list()),
            "fold": 1,
            "aligned_size": 72,
            "training": {"data": "nothing", "synthetic": True, "from_scratch": True},
            "scores": {"f1_macro": 0.5},
            **changes,
        }
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An untrained network whose branches differ and whose decoders choose their words clearly."""
    torch.manual_seed(2)
    network = build_vlfau(CONFIG, num_aus=len(AU_IDS), vocabulary_size=len(VOCABULARY)).eval()
    network.refinement.excite.weight.data *= 100
    for decoder in (network.local_decoder, network.global_decoder):
        decoder.vocabulary_scores.weight.data *= 20
        decoder.embedding.weight.data *= 5
        decoder.first_hidden.weight.data *= 100
    folder = tmp_path_factory.mktemp("run") / "best"
    save_checkpoint(folder, network, metadata())
    return folder


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def bundle(checkpoint, tmp_path_factory):
    return export_bundle(checkpoint, tmp_path_factory.mktemp("full") / "toy", half=False, note="a toy")


def test_a_bundle_records_how_much_each_part_weighs_in_a_score(tmp_path, monkeypatch):
    monkeypatch.setattr("vlfau.export.bundle.export_graphs", lambda *_, **__: {})
    monkeypatch.setattr("vlfau.export.bundle.write_model_json", lambda folder, info: Bundle(folder, info, {}))
    model = dataclasses.replace(CONFIG, local_language=False, global_language=False, movements=True)
    network = build_vlfau(model, num_aus=len(AU_IDS), vocabulary_size=len(VOCABULARY)).eval()
    network.part_weights.copy_(torch.tensor([0.4, 0.1, 0.2, 0.3])[:, None, None].expand(-1, 1, len(AU_IDS)))
    save_checkpoint(tmp_path / "run", network, metadata(model=model, vocabulary=()))
    info = export_bundle(tmp_path / "run", tmp_path / "toy", half=False).info
    assert info.training["score_parts"] == {str(au_id): [0.4, pytest.approx(0.3), 0.3] for au_id in AU_IDS}


def test_a_bundle_of_branches_alone_records_no_parts(bundle):
    assert "score_parts" not in bundle.info.training


def torch_captions(decoder, features, longest, prefix=()):
    results = decode_captions(
        TorchStepper(decoder, features),
        bos_id=VOCABULARY.bos_id,
        eos_id=VOCABULARY.eos_id,
        banned_ids=[VOCABULARY.pad_id],
        options=DecodingOptions(max_length=longest, beam_size=3),
        prefix=prefix,
    )
    return [VOCABULARY.decode(result.token_ids) for result in results]


def test_probabilities_and_words_equal_torchs(checkpoint, bundle, crops):
    network, _ = load_checkpoint(checkpoint)
    results = Predictor(bundle, describe="every", consistent=False).predict_crops(crops)
    with torch.inference_mode():
        vision = network.encode(torch.from_numpy(crops).permute(0, 3, 1, 2))
        features = vision.au_features().flatten(0, 1)
    probs = [[au.prob for au in result.aus] for result in results]
    np.testing.assert_allclose(probs, vision.au_logits.sigmoid(), atol=1e-4)
    maps = [[au.attention_map for au in result.aus] for result in results]
    np.testing.assert_allclose(maps, vision.attention_maps, atol=1e-4)
    local_captions = [au.local_caption for result in results for au in result.aus]
    assert local_captions == torch_captions(network.local_decoder, features, max_local_length(AU_IDS))
    assert len(set(local_captions)) > 1
    subject = VOCABULARY.encode_words("This person")
    expected = torch_captions(network.global_decoder, vision.stem_features, max_global_length(AU_IDS), subject)
    assert [result.global_caption for result in results] == expected


def test_half_precision_halves_the_size_and_keeps_the_probabilities(checkpoint, bundle, crops, tmp_path):
    half = export_bundle(checkpoint, tmp_path / "half")
    sizes = [sum(each.path(name).stat().st_size for name in each.files) for each in (half, bundle)]
    assert sizes[0] < 0.6 * sizes[1]
    ours, theirs = (
        [[au.prob for au in result.aus] for result in Predictor(each, describe="never").predict_crops(crops)]
        for each in (half, bundle)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_any_number_of_faces_goes_through_the_graphs(bundle, crops):
    predictor = Predictor(bundle, describe="never")
    together = predictor.predict_crops(np.concatenate([crops] * 7))
    alone = [predictor.predict_crops(crop[None])[0] for crop in crops]
    for index, result in enumerate(together):
        expected = [au.prob for au in alone[index % 3].aus]
        assert [au.prob for au in result.aus] == pytest.approx(expected, abs=1e-5)


def test_the_bundle_carries_what_the_checkpoint_knew(bundle):
    info = load_bundle(bundle.folder).info
    assert (info.name, info.note, info.licence) == ("toy", "a toy", "Apache-2.0")
    assert info.au_ids == AU_IDS
    assert (info.crop.aligned_size, info.crop.crop_size) == (72, 64)
    assert info.vocabulary == tuple(VOCABULARY.to_list())
    assert info.thresholds == (0.5,) * 4
    assert info.is_synthetic
    assert info.scores == {"f1_macro": 0.5}


def test_a_network_without_words_makes_a_bundle_without_words(tmp_path, crops):
    silent = ModelConfig(**{**vars(CONFIG), "local_language": False, "global_language": False})
    network = build_vlfau(silent, num_aus=4, vocabulary_size=len(VOCABULARY))
    save_checkpoint(tmp_path / "best", network, metadata(model=silent))
    bundle = export_bundle(tmp_path / "best", tmp_path / "silent")
    assert sorted(bundle.files) == ["vision.onnx"]
    result = Predictor(bundle, describe="every").predict_crops(crops)[0]
    assert result.global_caption is None
    assert [au.local_caption for au in result.aus] == [None] * 4


def test_a_card_lies_in_the_bundle(checkpoint, tmp_path, capsys):
    card = tmp_path / "card.md"
    card.write_text("# For trying\n", encoding="utf-8")
    made = export_bundle(checkpoint, tmp_path / "made", card=card)
    assert made.card.read_text(encoding="utf-8") == "# For trying\n"
    assert load_bundle(made.folder).card == made.folder / "model-card.md"
    assert main(["info", "--model", str(made.folder)]) == 0
    assert "model card" in capsys.readouterr().out
    card.write_bytes(b"\xff\xfe\x00")
    for wrong in (card, tmp_path / "none.md"):
        with pytest.raises(ConfigError, match="cannot be read as text"):
            export_bundle(checkpoint, tmp_path / "other", card=wrong)
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A checkpoint that learned other texts than the package brings."""
    texts = load_descriptions(write_corrected(tmp_path_factory.mktemp("texts") / "corrected")).for_aus(AU_IDS)
    vocabulary = Vocabulary.for_aus(AU_IDS, texts)
    torch.manual_seed(2)
    network = build_vlfau(CONFIG, num_aus=len(AU_IDS), vocabulary_size=len(vocabulary)).eval()
    folder = tmp_path_factory.mktemp("learned") / "best"
    save_checkpoint(folder, network, metadata(vocabulary=tuple(vocabulary.to_list()), descriptions=texts))
    return folder


def test_a_checkpoint_and_its_bundle_carry_the_texts_that_were_learned(learned, tmp_path, crops):
    network, known = load_checkpoint(learned)
    assert known.descriptions == read_descriptions(learned / "descriptions.json")
    assert known.descriptions != default_descriptions().for_aus(AU_IDS)
    save_checkpoint(tmp_path / "again", network, known)
    assert load_checkpoint(tmp_path / "again")[1] == known
    bundle = export_bundle(learned, tmp_path / "bundle")
    assert load_bundle(bundle.folder) == bundle
    assert bundle.info.descriptions == known.descriptions
    assert bundle.info.max_local_length == max_local_length(AU_IDS, known.descriptions)
    for result in Predictor(bundle, describe="every", consistent=True).predict_crops(crops):
        for au in result.aus:
            said = parse_local(au.local_caption, known.descriptions)
            assert (said.au_id, said.active, said.complete) == (au.au_id, au.state, True)
        said = parse_note(result.global_caption)
        assert said.complete
        assert [state.au_id for state in said.states] == [au.au_id for au in result.aus if au.state]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "descriptions.json").unlink(), "descriptions.json cannot be read"),
        (lambda folder: (folder / "descriptions.json").write_text("{"), "is not JSON"),
        (
            lambda folder: write_descriptions(folder / "descriptions.json", default_descriptions()),
            "uses the word 'corner', which the model never learned",
        ),
        (
            lambda folder: swap(folder / "descriptions.json", "lip angle", "angle lip"),
            "is not the file that checkpoint.json describes",
        ),
    ],
    ids=["missing", "damaged", "of others", "changed"],
)
def test_texts_that_are_not_the_checkpoints_are_refused(learned, tmp_path, spoil, message):
    folder = shutil.copytree(learned, tmp_path / "best")
    spoil(folder)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(folder)
    assert str(folder) in str(caught.value)


def swap(path, old, new):
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))


def test_a_checkpoint_of_an_earlier_version_has_the_packages_texts_if_it_knows_their_words(checkpoint, tmp_path):
    assert not (checkpoint / "descriptions.json").exists()
    assert load_checkpoint(checkpoint)[1].descriptions == default_descriptions().for_aus(AU_IDS)
    with corrected_package(write_corrected(tmp_path / "corrected")):
        assert load_checkpoint(checkpoint)[1].descriptions is None
        assert export_bundle(checkpoint, tmp_path / "bundle").info.descriptions is None
    assert load_bundle(tmp_path / "bundle").info.descriptions == default_descriptions().for_aus(AU_IDS)


def test_an_existing_folder_is_left_alone(checkpoint, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ConfigError, match="exists already"):
        export_bundle(checkpoint, tmp_path / "there")


def test_checkpoints_of_other_aus_words_or_folds_are_refused(checkpoint):
    with pytest.raises(CheckpointError, match=r"is for the AUs \[1, 4, 12, 25\], expected \[4, 1, 12, 25\]"):
        load_checkpoint(checkpoint, au_ids=(4, 1, 12, 25))
    with pytest.raises(CheckpointError, match="knows .* words that are not the"):
        load_checkpoint(checkpoint, vocabulary=Vocabulary.for_aus([1, 2]))
    with pytest.raises(CheckpointError, match="left out fold 1, so fold 2 was among its training frames"):
        load_checkpoint(checkpoint, fold=2)
    load_checkpoint(checkpoint, au_ids=AU_IDS, vocabulary=VOCABULARY, fold=1)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "checkpoint.json").unlink(), "is not a checkpoint: it has no checkpoint.json"),
        (lambda folder: (folder / "checkpoint.json").write_text("{"), "checkpoint.json is damaged"),
        (lambda folder: (folder / "checkpoint.json").write_text("[]"), "checkpoint.json is damaged"),
        (lambda folder: (folder / "checkpoint.json").write_text('{"format": 99}'), "of another format"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x80\x04pickle"), "do not fit"),
        (lambda folder: (folder / "model.safetensors").unlink(), "do not fit"),
        (lambda folder: change(folder, au_ids=[1, 4, 12]), "do not fit"),
        (lambda folder: change(folder, au_ids=[1, 4, 12, 3]), "damaged .*AU 3 is not in the catalogue"),
        (lambda folder: change(folder, extra=1), "damaged"),
    ],
)
def test_a_damaged_checkpoint_is_named(checkpoint, tmp_path, spoil, message):
    folder = tmp_path / "best"
    shutil.copytree(checkpoint, folder)
    spoil(folder)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(folder)


def change(folder, **values):
    path = folder / "checkpoint.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_saving_replaces_an_earlier_checkpoint_whole(checkpoint, tmp_path):
    network, found = load_checkpoint(checkpoint)
    save_checkpoint(tmp_path / "best", network, found)
    save_checkpoint(tmp_path / "best", network, metadata(scores={"f1_macro": 0.75}))
    assert load_checkpoint(tmp_path / "best")[1].scores == {"f1_macro": 0.75}
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_intensities_are_those_of_the_network(tmp_path, crops):
    torch.manual_seed(1)
    config = dataclasses.replace(CONFIG, intensity=True, local_language=False, global_language=False)
    network = build_vlfau(config, num_aus=len(AU_IDS), vocabulary_size=len(VOCABULARY)).eval()
    save_checkpoint(tmp_path / "best", network, metadata(model=config))
    predictor = Predictor(export_bundle(tmp_path / "best", tmp_path / "toy", half=False))
    with torch.inference_mode():
        wanted = network.encode(torch.from_numpy(crops).permute(0, 3, 1, 2)).au_intensities.numpy()
    found = [[au.intensity for au in result.aus] for result in predictor.predict_crops(crops)]
    assert np.allclose(found, wanted, atol=1e-4)
    assert found[0] != found[1]
