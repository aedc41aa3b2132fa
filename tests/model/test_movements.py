import numpy as np
import onnxruntime as ort
import pytest
import torch

from tests.model.test_vlfau import small_network
from vlfau.errors import ConfigError
from vlfau.export.graphs import export_graphs
from vlfau.faces.blendshapes import Blendshapes
from vlfau.faces.mesh import DenseFaceMesh
from vlfau.model import ModelConfig
from vlfau.model.classifier import AUOutput
from vlfau.model.facemesh_v2 import MESH_FILE, MeshReader, square
from vlfau.model.movements import BLENDSHAPE_FILE, FACE_DIM, MAP_DIM, MovementBranch, ScoreHeads
from vlfau.model.onnx_module import OnnxModule


def crops(count=2, side=112):
    return torch.randint(0, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.fixture(scope="module")
def branch():
    torch.manual_seed(0)
    return MovementBranch(mesh=MeshReader(), num_aus=3, intensity=True, sides=True).eval()


def test_the_frozen_mesh_finds_the_landmarks_that_onnx_runtime_finds(branch):
    landmarks = branch.mesh(crops(side=160)).landmarks
    (expected,) = DenseFaceMesh()._session.run(["landmarks"], {"images": square(crops(side=160)).numpy()})
    np.testing.assert_allclose(landmarks.numpy(), expected, atol=1e-4 * np.abs(expected).max())


def test_the_frozen_blendshapes_are_those_of_onnx_runtime(branch):
    landmarks = branch.mesh(crops(3, 160)).landmarks
    (movements,) = OnnxModule(BLENDSHAPE_FILE, ["blendshapes"])(landmarks[:, branch.points, :2])
    np.testing.assert_allclose(movements.numpy(), Blendshapes()(landmarks[..., :2].numpy()), atol=1e-4)


def test_the_square_shows_the_crop_enlarged_and_black_around():
    whole = square(torch.full((1, 3, 160, 160), 255, dtype=torch.uint8))
    assert whole.shape == (1, 256, 256, 3)
    covered = whole[0, ..., 0] > 0.99
    rows, columns = covered.any(1).nonzero(), covered.any(0).nonzero()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (38, 241, 26, 229)
    assert (whole[0, ..., 0][~covered] == 0).all()


@pytest.mark.parametrize("side", [112, 160, 224])
def test_the_square_is_whole_for_crops_of_any_side(side):
    other = MovementBranch(mesh=MeshReader(), num_aus=2, intensity=False, sides=False)
    assert square(crops(1, side)).shape == (1, 256, 256, 3)
    output = other(other.mesh(crops(1, side)))
    assert output.by_map.intensities is None
    assert output.sides is None


def test_frozen_weights_are_not_in_checkpoints_and_do_not_train(branch):
    assert not any(name.startswith(("mesh", "blendshapes", "points")) for name in branch.state_dict())
    assert all(name.startswith(("by_movements", "by_map", "side_heads")) for name, _ in branch.named_parameters())
    seen = branch.mesh(crops(1, 160))
    face = branch.read(seen)
    assert (face.shape, seen.deep.shape) == ((1, FACE_DIM), (1, MAP_DIM))
    assert not face.requires_grad


def test_torch_computes_the_graph_as_onnx_runtime_does():
    module = OnnxModule(MESH_FILE, ["landmarks", "tensor_377"])
    images = square(crops(2, 160))
    fast = module(images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.compiler, "is_compiling", lambda: True)
        slow = module(images)
    for one, other in zip(fast, slow, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_the_stronger_side_has_the_score_of_the_au_and_the_other_less():
    network = small_network(movements=True, sides=True, intensity=True).eval()
    vision = network.encode(crops(4))
    probs, intensities = vision.au_sides.unbind(3)
    torch.testing.assert_close(probs.amax(2), vision.au_logits.sigmoid())
    torch.testing.assert_close(intensities.amax(2), vision.au_intensities)
    assert (probs.amin(2) < probs.amax(2)).all()


def test_sides_need_movements():
    with pytest.raises(ConfigError, match=r"model\.sides needs model\.movements"):
        small_network(sides=True)


def test_heads_standardise_and_rescale():
    torch.manual_seed(0)
    heads = ScoreHeads(in_features=4, hidden_dim=8, num_aus=2, intensity=True).eval()
    features = torch.randn(5, 4)
    before = heads(features)
    heads.centre.fill_(3)
    heads.spread.fill_(2)
    torch.testing.assert_close(heads(3 + 2 * features), before)
    heads.slope[1], heads.shift[1] = 2, -1
    after = heads(3 + 2 * features)
    torch.testing.assert_close(after.logits[:, 0], before.logits[:, 0])
    torch.testing.assert_close(after.logits[:, 1], 2 * before.logits[:, 1] - 1)
    assert ((after.intensities >= 0) & (after.intensities <= 5)).all()


def test_the_papers_network_has_no_movements():
    assert not ModelConfig().movements
    network = small_network()
    assert network.movement_branch is None
    assert not any("movement" in name or "part_weights" in name for name in network.state_dict())
    assert network.encode(crops()).weights is None


def test_scores_are_the_weighted_mean_of_the_parts():
    network = small_network(landmarks=7, intensity=True, movements=True).eval()
    shares = torch.rand(5, 5)
    network.part_weights.copy_((shares / shares.sum(0))[:, None])
    vision = network.encode(crops())
    said = [vision.branch_scores, vision.by_landmarks.scores, *vision.by_movements.parts]
    for au in range(5):
        expected = sum(network.part_weights[part, 0, au] * said[part].logits[:, au] for part in range(5))
        torch.testing.assert_close(vision.au_logits[:, au], expected)
        strengths = sum(network.part_weights[part, 0, au] * said[part].intensities[:, au] for part in range(5))
        torch.testing.assert_close(vision.au_intensities[:, au], strengths)


def test_rescaled_logits_are_rescaled_as_a_whole():
    network = small_network(landmarks=7, movements=True).eval()
    before = network.encode(crops()).au_logits
    network.rescale_logits(2, 1.5, -0.25)
    after = network.encode(crops()).au_logits
    torch.testing.assert_close(after[:, 2], 1.5 * before[:, 2] - 0.25)
    torch.testing.assert_close(after[:, :2], before[:, :2])


def test_a_mirrored_network_says_the_same_of_a_face_and_its_mirror_image():
    network = small_network(landmarks=7, movements=True, mirrored=True).eval()
    faces = crops()
    own, mirrored = network.encode(faces), network.encode(faces.flip(3))
    torch.testing.assert_close(own.au_logits, mirrored.au_logits, atol=1e-5, rtol=1e-5)


def test_movements_are_exported_in_the_one_vision_graph():
    network = small_network(
        movements=True, intensity=True, backbone="facemesh", backbone_options={}, crop_size=64,
        local_language=False, global_language=False,
    ).eval()  # fmt: skip
    for heads in network.movement_branch.score_heads:
        heads.slope.uniform_(1, 3)
    graph = export_graphs(network, crop_size=64)["vision.onnx"]
    session = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    for count in (1, 3):
        faces = crops(count, 64)
        logits, strengths = session.run(["au_logits", "au_intensities"], {"crops": faces.permute(0, 2, 3, 1).numpy()})
        vision = network.encode(faces)
        np.testing.assert_allclose(logits, vision.au_logits.detach().numpy(), atol=1e-4)
        np.testing.assert_allclose(strengths, vision.au_intensities.detach().numpy(), atol=1e-4)


def test_weights_of_one_part_alone_leave_its_scores():
    one, other = (AUOutput(torch.randn(3, 2), torch.rand(3, 2)) for _ in range(2))
    mean = AUOutput.mean(one, other, weights=torch.eye(2)[:, None])
    torch.testing.assert_close(mean.logits, torch.stack([one.logits[:, 0], other.logits[:, 1]], 1))
    torch.testing.assert_close(mean.intensities, torch.stack([one.intensities[:, 0], other.intensities[:, 1]], 1))


def test_a_value_that_the_graph_lacks_is_named():
    with pytest.raises(ConfigError, match=r"facemesh_v2\.onnx has no value nowhere"):
        OnnxModule(MESH_FILE, ["nowhere"])


def test_the_heads_give_the_mean_of_what_each_gives_alone():
    torch.manual_seed(0)
    heads = ScoreHeads(in_features=5, hidden_dim=7, num_aus=3, intensity=False).eval()
    features = torch.randn(4, 5)
    each = torch.stack([head(features) for head in heads.heads])
    torch.testing.assert_close(heads(features).logits, each.mean(0))
    heads.train()
    assert not torch.equal(heads(features).logits, heads(features).logits)  # dropout
