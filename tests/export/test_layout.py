from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import vlfau.faces
from vlfau.export.graphs import export_graphs, store_weights_at_half
from vlfau.export.layout import keep_blocks
from vlfau.model import ModelConfig, build_vlfau

WEIGHTS = Path(vlfau.faces.__file__).parent / "weights"
SHAPE = (2, 4, 3, 4)  # as many columns as channels
SLOPES = np.array([-0.75, 0.25, 1, 1.5], np.float32)  # falling, rising, linear, steeper below than above
IMAGES = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def model(nodes, weights):
    source = helper.make_tensor_value_info("images", TensorProto.FLOAT, ("batch", *SHAPE[1:]))
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ("batch", "channels", "height", "width"))
    initializers = [numpy_helper.from_array(np.asarray(values), name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "toy", [source], [output], initializers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def prelu(slopes):
    return model([helper.make_node("PRelu", ["images", "slopes"], ["output"])], {"slopes": slopes})


def pad(sizes, *further, weights=None, **attributes):
    node = helper.make_node("Pad", ["images", "sizes", *further], ["output"], **attributes)
    return model([node], {"sizes": np.array(sizes, np.int64), **(weights or {})})


def kinds(graph_of):
    return [node.op_type for node in graph_of.graph.node]


def compute(graph_of, images=IMAGES):
    session = onnxruntime.InferenceSession(graph_of.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})


@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 4, 1, 1)])
def test_prelu_becomes_two_convolutions_and_computes_the_same(shape):
    rewritten = keep_blocks(prelu(SLOPES.reshape(shape)))
    onnx.checker.check_model(rewritten, full_check=True)
    assert kinds(rewritten) == ["Conv", "Relu", "Conv", "Add"]
    assert [weight.name for weight in rewritten.graph.initializer] == ["slopes.below", "slopes.sign"]
    expected = np.where(IMAGES < 0, SLOPES[:, None, None] * IMAGES, IMAGES)
    np.testing.assert_allclose(compute(rewritten)[0], expected, atol=1e-6)


def test_one_slope_for_all_channels_becomes_leaky_relu():
    rewritten = keep_blocks(prelu(np.full((1, 1, 1), 0.2, np.float32)))
    assert kinds(rewritten) == ["LeakyRelu"]
    np.testing.assert_allclose(compute(rewritten)[0], np.where(IMAGES < 0, 0.2 * IMAGES, IMAGES), atol=1e-6)


def test_slopes_that_two_prelus_share_are_stored_once():
    nodes = [
        helper.make_node("Cast", ["slopes"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("PRelu", ["images", "wide"], ["first"]),
        helper.make_node("PRelu", ["first", "wide"], ["output"]),
    ]
    original = model(nodes, {"slopes": SLOPES.astype(np.float16).reshape(4, 1, 1)})
    rewritten = keep_blocks(original)
    assert kinds(rewritten).count("Conv") == 4
    assert [weight.name for weight in rewritten.graph.initializer][-2:] == ["wide.below", "wide.sign"]
    np.testing.assert_allclose(compute(rewritten)[0], compute(original)[0], atol=1e-6)


@pytest.mark.parametrize("slopes", [np.full(SHAPE[1:], 0.5, np.float32), np.full((4,), 0.5, np.float32)])
def test_slopes_of_single_pixels_or_columns_stay_as_they_are(slopes):
    assert kinds(keep_blocks(prelu(slopes))) == ["PRelu"]


def bottleneck(channels, *, grouped=True, biased=True, slopes=None):
    rng = np.random.default_rng(0)
    shapes = {
        "narrow": (channels, SHAPE[1], 1, 1),
        "kernels": (channels, 1, 3, 3) if grouped else (channels, channels, 3, 3),
        "wide": (4, channels, 1, 1),
        "slopes": slopes or (channels, 1, 1),
        "narrow_bias": (channels,),
        "kernels_bias": (channels,),
    }
    weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    biases = {name: [f"{name}_bias"] if biased else [] for name in ("narrow", "kernels")}
    group = channels if grouped else 1
    nodes = [
        helper.make_node("Conv", ["images", "narrow", *biases["narrow"]], ["small"]),
        helper.make_node("PRelu", ["small", "slopes"], ["active"]),
        helper.make_node("Conv", ["active", "kernels", *biases["kernels"]], ["mixed"], group=group, pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["mixed", "wide"], ["output"]),
    ]
    return model(nodes, weights)


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("channels", [2, 8])
def test_a_narrow_bottleneck_is_doubled_instead_of_its_prelu(channels, biased):
    original = bottleneck(channels, biased=biased)
    rewritten = keep_blocks(original)
    onnx.checker.check_model(rewritten, full_check=True)
    assert kinds(rewritten) == ["Conv", "Relu", "Conv", "Conv"]
    np.testing.assert_allclose(compute(rewritten)[0], compute(original)[0], atol=1e-5)
    assert keep_blocks(rewritten) == rewritten


def test_bottlenecks_that_share_weights_keep_their_own_slopes():
    one = bottleneck(3)
    nodes = list(one.graph.node)
    more = [
        helper.make_node("Conv", ["output", "narrow", "narrow_bias"], ["output.small"]),
        helper.make_node("PRelu", ["output.small", "other"], ["output.active"]),
        helper.make_node("Conv", ["output.active", "kernels"], ["output.mixed"], group=3, pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["output.mixed", "wide"], ["second"]),
    ]
    weights = {weight.name: numpy_helper.to_array(weight) for weight in one.graph.initializer}
    weights["other"] = np.array([0.1, -0.2, 3], np.float32).reshape(3, 1, 1)
    both = model([*nodes, *more], weights)
    both.graph.output.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, None))
    rewritten = keep_blocks(both)
    assert kinds(rewritten).count("Conv") == 6
    assert "PRelu" not in kinds(rewritten)
    for found, expected in zip(compute(rewritten), compute(both), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "other",
    [bottleneck(9), bottleneck(1), bottleneck(4, grouped=False), bottleneck(4, slopes=(4,))],
    ids=["more than half a block", "one", "full", "slopes of columns"],
)
def test_other_bottlenecks_are_not_doubled(other):
    rewritten = keep_blocks(other)
    assert "Conv" in kinds(rewritten)
    assert [node.output[0] for node in rewritten.graph.node if node.op_type == "Conv"][:1] == ["small"]
    assert not any(weight.name.endswith(".weight") for weight in rewritten.graph.initializer)
    np.testing.assert_allclose(compute(rewritten)[0], compute(other)[0], atol=1e-4)


@pytest.mark.parametrize("inner", ["small", "active", "mixed"])
def test_a_bottleneck_whose_inner_values_are_used_elsewhere_is_not_doubled(inner):
    original = bottleneck(4)
    original.graph.output.append(helper.make_tensor_value_info(inner, TensorProto.FLOAT, None))
    rewritten = keep_blocks(original)
    for found, expected in zip(compute(rewritten), compute(original), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_graph_with_constants_is_rewritten():
    plain = bottleneck(4)
    nodes = [helper.make_node("Constant", [], ["one"], value=numpy_helper.from_array(np.float32([1])))]
    nodes += [*plain.graph.node][:-1]
    nodes.append(helper.make_node("Conv", ["mixed", "wide"], ["less"]))
    nodes.append(helper.make_node("Add", ["less", "one"], ["output"]))
    original = model(nodes, {weight.name: numpy_helper.to_array(weight) for weight in plain.graph.initializer})
    rewritten = keep_blocks(original)
    assert kinds(rewritten) == ["Constant", "Conv", "Relu", "Conv", "Conv", "Add"]
    np.testing.assert_allclose(compute(rewritten)[0], compute(original)[0], atol=1e-5)


def test_added_zero_channels_become_a_convolution():
    rewritten = keep_blocks(pad([0, 0, 0, 0, 0, 3, 0, 0]))
    assert kinds(rewritten) == ["Cast", "Conv"]
    (output,) = compute(rewritten)
    assert output.shape == (2, 7, 3, 4)
    assert np.array_equal(output[:, :4], IMAGES)
    assert not output[:, 4:].any()


@pytest.mark.parametrize(
    "padded",
    [
        pad([0, 0, 0, 0, 0, 1, 1, 0]),
        pad([0, 1, 0, 0, 0, 0, 0, 0]),
        pad([0, 0, 0, 0, 0, -1, 0, 0]),
        pad([0, 0, 0, 0, 0, 1, 0, 0], mode="edge"),
        pad([0, 0, 0, 0, 0, 1, 0, 0], "value", weights={"value": np.float32(1)}),
    ],
    ids=["rows too", "before the first", "fewer", "repeated", "ones"],
)
def test_other_paddings_stay_as_they_are(padded):
    assert keep_blocks(padded) == padded


def test_a_graph_with_an_unknown_number_of_channels_stays_as_it_is():
    for known in (prelu(SLOPES.reshape(4, 1, 1)), pad([0, 0, 0, 0, 0, 3, 0, 0])):
        assert keep_blocks(known) != known
        shape = known.graph.input[0].type.tensor_type.shape
        shape.dim[1].dim_param = "channels"
        assert keep_blocks(known) == known


@pytest.mark.parametrize("name", ["blazeface_back.onnx", "facemesh.onnx", "facemesh_v2.onnx"])
def test_the_shipped_face_weights_are_rewritten(name):
    shipped = onnx.load(WEIGHTS / name)
    assert not {"PRelu", "Pad"} & set(kinds(shipped))
    assert keep_blocks(shipped) == shipped


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    config = ModelConfig(
        backbone="facemesh",
        crop_size=64,
        combined_dim=16,
        feature_dim=16,
        local_language=False,
        global_language=False,
        dair=False,
    )
    return build_vlfau(config, num_aus=3, vocabulary_size=9).eval()


@pytest.mark.slow
def test_a_mirrored_network_with_landmarks_is_exported_whole(network):
    config = ModelConfig(
        backbone="facemesh", backbone_options={"frozen_stages": 1}, crop_size=64, combined_dim=16, feature_dim=16,
        intensity=True, landmarks=5, mirrored=True, told_scores=True, hidden_dim=8, embedding_dim=8,
    )  # fmt: skip
    torch.manual_seed(0)
    mirrored = build_vlfau(config, num_aus=3, vocabulary_size=9).eval()
    for parameter in mirrored.told_scores.parameters():
        torch.nn.init.normal_(parameter)
    exported = export_graphs(mirrored, crop_size=64)["vision.onnx"]
    for faces in (1, 3):
        crops = np.random.default_rng(1).integers(0, 256, (faces, 64, 64, 3), dtype=np.uint8)
        with torch.inference_mode():
            vision = mirrored.encode(torch.from_numpy(crops).permute(0, 3, 1, 2))
        logits, face_features, au_features, maps, intensities = compute(exported, crops)
        np.testing.assert_allclose(logits, vision.au_logits, atol=1e-4)
        np.testing.assert_allclose(face_features, vision.face_features, atol=1e-4)
        np.testing.assert_allclose(au_features, vision.au_features(), atol=1e-4)
        np.testing.assert_allclose(maps, vision.attention_maps, atol=1e-4)
        np.testing.assert_allclose(intensities, vision.au_intensities, atol=1e-4)


def test_an_exported_facemesh_has_only_fast_operators_and_equals_torchs(network):
    exported = export_graphs(network, crop_size=64)["vision.onnx"]
    assert not {"PRelu", "Pad", "LeakyRelu"} & set(kinds(exported))
    crops = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    with torch.inference_mode():
        vision = network.encode(torch.from_numpy(crops).permute(0, 3, 1, 2))
    logits, stem_features, *_ = compute(exported, crops)
    np.testing.assert_allclose(logits, vision.au_logits, atol=1e-5)
    np.testing.assert_allclose(stem_features, vision.stem_features, atol=1e-5)
    half = store_weights_at_half(exported)
    assert half.ByteSize() < 0.6 * exported.ByteSize()
    np.testing.assert_allclose(compute(half, crops)[0], logits, atol=1e-2)
