import hashlib
import json
import shutil

import numpy as np
import onnx
import pytest

from tests.inference.tiny_bundle import AU_IDS, CROP_SIZE, VOCABULARY, write_tiny_bundle
from vlfau.cli import main
from vlfau.errors import BundleError
from vlfau.faces import CropGeometry
from vlfau.inference.bundle import load_bundle
from vlfau.inference.predictor import Predictor
from vlfau.language import Vocabulary
from vlfau.language.descriptions import default_descriptions
from vlfau.language.descriptions_file import write_descriptions

NO_FACES = np.zeros((0, CROP_SIZE, CROP_SIZE, 3), np.uint8)


@pytest.fixture
def folder(tiny_bundle, tmp_path):
    return shutil.copytree(tiny_bundle.folder, tmp_path / "copy")


def edit(folder, **changes):
    """Change keys of model.json; None removes one."""
    path = folder / "model.json"
    table = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in table.items() if value is not None}))


def sign(folder):
    """Make model.json agree with the files again."""
    edit(
        folder,
        files={
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (*folder.glob("*.onnx"), *folder.glob("descriptions.json"))
        },
    )


def assert_refused(folder, message):
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_was_written_is_read_again(tiny_bundle):
    bundle = load_bundle(tiny_bundle.folder)
    assert bundle == tiny_bundle
    assert bundle.info.au_ids == AU_IDS
    assert bundle.info.thresholds == (0.5, 0.5, 0.25)
    assert bundle.info.crop == CropGeometry(aligned_size=CROP_SIZE, crop_size=CROP_SIZE)
    assert bundle.info.vocabulary == VOCABULARY.tokens
    assert bundle.has_local_captions
    assert bundle.has_global_captions
    assert not bundle.info.is_synthetic


def test_a_folder_without_model_json_is_refused_by_name(tmp_path):
    assert_refused(tmp_path, "is neither a bundle nor a checkpoint: it has neither model.json nor checkpoint.json")


def test_a_missing_folder_is_refused_by_name(tmp_path):
    assert_refused(tmp_path / "nowhere", "is neither a bundle nor a checkpoint: there is no such folder")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a JSON object"),
        (b"\xff\xfe", "is not JSON"),
    ],
    ids=["half", "nested", "list", "bytes"],
)
def test_a_model_json_that_is_none_is_refused(folder, text, message):
    (folder / "model.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert_refused(folder, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 3}, "has format 3, this vlfau reads format 1 and 2; export the bundle again, or install"),
        ({"format": None}, "has format None"),
        ({"colour": "red"}, "has an unknown key 'colour'"),
        ({"licence": None}, "has no key 'licence'"),
        ({"name": 5}, "'name' must be a text"),
        ({"au_ids": [1, 6]}, "has 3 thresholds for 2 AUs"),
        ({"au_ids": [1, 6, 999]}, "AU 999 is not in the catalogue"),
        ({"au_ids": [1, 6, 6]}, "an AU is given twice"),
        ({"au_ids": [True, 6, 12]}, "'au_ids' must be a list of FACS numbers"),
        ({"thresholds": [0.5, 0.5, 1.5]}, "'thresholds' must be a list of numbers from 0 to 1"),
        ({"thresholds": [0.5, 0.5, float("nan")]}, "'thresholds' must be"),
        ({"crop": {"aligned_size": 8, "crop_size": 16}}, "'crop' must be"),
        ({"crop": {"crop_size": 16}}, "'crop' must be"),
        ({"vocabulary": ["a", "b"]}, "a vocabulary is <pad>, <bos>, <eos>"),
        ({"vocabulary": []}, "has graphs for captions, but no max_local_length or vocabulary"),
        ({"max_global_length": 0}, "has graphs for captions, but no max_global_length or vocabulary"),
        ({"training": {}}, "'training' must be an object with at least the key 'synthetic'"),
        ({"scores": {"f1": float("inf")}}, "'scores' must be an object"),
    ],
)
def test_a_wrong_key_is_refused_by_name(folder, changes, message):
    edit(folder, **changes)
    assert_refused(folder, message)


def test_a_graph_that_was_changed_is_refused_by_name(folder):
    with (folder / "vision.onnx").open("ab") as stream:
        stream.write(b"\0")
    assert_refused(folder, r"vision\.onnx is not the file that model\.json describes")


@pytest.mark.parametrize("name", ["vision.onnx", "local_step.onnx"])
def test_a_graph_that_is_missing_is_refused_by_name(folder, name):
    (folder / name).unlink()
    assert_refused(folder, f"lacks {name}; copy or export it again")


def test_a_decoder_needs_both_its_graphs(folder):
    (folder / "global_init.onnx").unlink()
    sign(folder)
    assert_refused(folder, r"lacks global_init\.onnx")


@pytest.mark.parametrize("name", ["../secret.onnx", "/etc/passwd", "other.onnx"])
def test_a_bundle_names_no_file_but_its_own(folder, name):
    edit(folder, files={name: "0" * 64})
    assert_refused(folder, "allowed are only vision.onnx")


@pytest.mark.parametrize("location", ["../secret.bin", "{folder}/../secret.bin"])
def test_a_graph_reads_no_file_outside_of_its_bundle(folder, location):
    model = onnx.load(folder / "vision.onnx")
    weight = next(each for each in model.graph.initializer if each.name == "full")
    (folder.parent / "secret.bin").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location.format(folder=folder))
    (folder / "vision.onnx").write_bytes(model.SerializeToString())
    sign(folder)
    with pytest.raises(BundleError, match=r"vision\.onnx is not an ONNX graph that can be run"):
        Predictor(folder).backend.encode(NO_FACES)


def test_a_file_that_is_no_graph_is_refused_when_it_is_needed(folder):
    (folder / "vision.onnx").write_bytes(b"no graph")
    sign(folder)
    with pytest.raises(BundleError, match=r"vision\.onnx"):
        Predictor(folder).backend.encode(NO_FACES)


def test_a_graph_with_other_outputs_is_refused_by_name(folder):
    model = onnx.load(folder / "vision.onnx")
    del model.graph.output[3]
    onnx.save(model, folder / "vision.onnx")
    sign(folder)
    with pytest.raises(BundleError, match=r"vision\.onnx has inputs \['crops'\] and outputs .*; export"):
        Predictor(folder).backend.encode(NO_FACES)


def test_no_bundle_is_written_that_contradicts_itself(tmp_path):
    with pytest.raises(BundleError, match="has 2 thresholds for 3 AUs"):
        write_tiny_bundle(tmp_path / "bundle", thresholds=(0.5, 0.5))


@pytest.fixture
def carrying(tmp_path):
    """A bundle with the package's words and texts."""
    own = default_descriptions().for_aus(AU_IDS)
    bundle = write_tiny_bundle(
        tmp_path / "carrying",
        vocabulary=Vocabulary.for_aus(AU_IDS).tokens,
        descriptions=own,
        local=False,
        global_=False,
    )
    return bundle.folder


def test_a_bundle_brings_the_texts_that_it_learned(carrying):
    bundle = load_bundle(carrying)
    assert bundle.info.descriptions == default_descriptions().for_aus(AU_IDS)
    assert "descriptions.json" in bundle.files
    assert json.loads((carrying / "model.json").read_text())["format"] == 2
    assert bundle.info.words_warning == ""


def test_texts_that_were_changed_are_refused_like_graphs(carrying):
    path = carrying / "descriptions.json"
    path.write_text(path.read_text().replace("corner", "brow", 1))
    assert_refused(carrying, r"descriptions\.json is not the file that model\.json describes")


def test_texts_that_are_missing_are_refused(carrying):
    (carrying / "descriptions.json").unlink()
    assert_refused(carrying, r"lacks descriptions\.json")
    sign(carrying)
    assert_refused(carrying, r"has format 2 and names no descriptions\.json; copy or export")


def test_a_bundle_of_the_first_format_names_no_texts(carrying):
    edit(carrying, format=1)
    assert_refused(carrying, r"has format 1 and names a descriptions\.json; copy or export")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_text("{"), "is not JSON"),
        (lambda path: path.write_bytes(b" " * (1 << 20)), "more than 524288 bytes"),
        (lambda path: write_descriptions(path, default_descriptions().for_aus([1, 6])), "no texts for AU12"),
        (lambda path: path.write_text(path.read_text().replace("corner", "hedgehog")), "'hedgehog', which the model"),
    ],
    ids=["damaged", "large", "other AUs", "unknown words"],
)
def test_texts_that_cannot_be_the_models_are_refused(carrying, spoil, message):
    spoil(carrying / "descriptions.json")
    sign(carrying)
    assert_refused(carrying, f"has descriptions that cannot be used: .*{message}")


def test_an_older_bundle_has_the_packages_texts_if_it_knows_their_words(carrying):
    (carrying / "descriptions.json").unlink()
    sign(carrying)
    edit(carrying, format=1)
    info = load_bundle(carrying).info
    assert info.descriptions == default_descriptions().for_aus(AU_IDS)
    assert info.words_warning == ""


def test_an_older_bundle_of_other_words_speaks_freely_and_says_so(tiny_bundle, capsys, astronaut):
    info = load_bundle(tiny_bundle.folder).info
    assert info.descriptions is None
    assert "lacks the descriptions that it was trained on" in info.words_warning
    crops = np.zeros((1, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    free, held = (
        Predictor(tiny_bundle, describe="every", consistent=consistent).predict_crops(crops)
        for consistent in (False, True)
    )
    assert [au.local_caption for au in held[0].aus] == [au.local_caption for au in free[0].aus]
    assert held[0].global_caption == free[0].global_caption
    model = ["--model", str(tiny_bundle.folder)]
    assert main(["predict", str(astronaut), *model]) == 0
    assert "its captions may contradict the states" in " ".join(capsys.readouterr().err.split())
    for option in (["--free-words"], ["--describe", "never"]):
        assert main(["predict", str(astronaut), *option, *model]) == 0
        assert "its captions may contradict the states" not in " ".join(capsys.readouterr().err.split())
