from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import vlfau.faces
from vlfau.errors import ConfigError
from vlfau.model.facemesh import FaceMeshBackbone
from vlfau.model.stem import create_backbone

GRAPH = Path(vlfau.faces.__file__).parent / "weights" / "facemesh.onnx"


def test_the_backbone_computes_what_the_shipped_graph_computes():
    model = onnx.load(GRAPH)
    # What the last block before the heads gives, 128 channels on a grid of 6 x 6, is the sum in the 15th of the PReLUs.
    made_of_sign = [node.output[0] for node in model.graph.node if node.input[-1].endswith(".sign")]
    assert len(made_of_sign) == 23
    (last,) = (node for node in model.graph.node if made_of_sign[14] in node.input)
    model.graph.output.append(onnx.helper.make_tensor_value_info(last.output[0], onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(0).random((2, 192, 192, 3), dtype=np.float32)
    (expected,) = session.run([last.output[0]], {"images": images})
    with torch.no_grad():
        levels = FaceMeshBackbone()(torch.from_numpy(images).permute(0, 3, 1, 2))
    assert [tuple(level.shape[1:]) for level in levels] == [(32, 48, 48), (64, 24, 24), (128, 12, 12), (128, 6, 6)]
    np.testing.assert_allclose(levels[-1].numpy(), expected, atol=1e-4)


def test_slopes_come_back_as_the_tflite_file_holds_them():
    slopes = FaceMeshBackbone().activation.weight.detach().numpy()
    np.testing.assert_allclose([slopes.min(), slopes.max()], [-0.15718600, 1.08627796], atol=1e-7)


def test_frozen_stages_stay_and_the_others_learn():
    backbone = FaceMeshBackbone(frozen_stages=2)
    torch.stack([level.mean() for level in backbone(torch.rand(1, 3, 64, 64))]).sum().backward()
    learning = {name for name, parameter in backbone.named_parameters() if parameter.grad is not None}
    assert learning == {
        name for name, _ in backbone.named_parameters() if name.startswith(tuple(f"stages.{n}" for n in (2, 3, 4)))
    }


@pytest.mark.parametrize("options", [{"frozen_stages": 6}, {"frozen_stages": -1}, {"frozen_stages": "1"}, {"depth": 1}])
def test_options_that_it_does_not_have_are_refused(options):
    with pytest.raises(ConfigError, match="has one option, frozen_stages from 0 to 5"):
        create_backbone("facemesh", crop_size=64, options=options)
