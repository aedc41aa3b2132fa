import pytest
import torch

from tests.model.test_vlfau import inputs, small_network
from vlfau.errors import ConfigError


def told_network(**options):
    network = small_network(told_scores=True, **options)
    for parameter in network.told_scores.parameters():
        torch.nn.init.normal_(parameter)
    return network


@pytest.mark.parametrize("intensity", [False, True])
def test_untrained_told_scores_change_nothing(intensity):
    told, plain = small_network(told_scores=True, intensity=intensity), small_network(intensity=intensity)
    plain.load_state_dict(told.state_dict(), strict=False)
    crops, local_tokens, global_tokens = inputs()
    one, other = told(crops, local_tokens, global_tokens), plain(crops, local_tokens, global_tokens)
    torch.testing.assert_close(one.local_logits, other.local_logits)
    torch.testing.assert_close(one.global_logits, other.global_logits)


def test_told_scores_shift_what_words_are_made_of_at_every_location():
    network = told_network(intensity=True, landmarks=7).eval()
    with torch.no_grad():
        vision = network.encode(inputs()[0])
        shift = vision.au_features() - vision.refinement.refine(vision.features)
        told = torch.stack([vision.au_logits.sigmoid(), vision.au_intensities / 5], dim=2)  # (B, N, 2)
        wanted = torch.einsum("bni,nio->bno", told, network.told_scores.local.weight) + network.told_scores.local.bias
        torch.testing.assert_close(shift, wanted[:, :, None].expand_as(shift), atol=1e-5, rtol=1e-4)
        whole = vision.face_features - vision.stem_features
        wanted = network.told_scores.face(told.flatten(1))[:, None].expand_as(whole)
        torch.testing.assert_close(whole, wanted, atol=1e-5, rtol=1e-4)


def test_the_branches_that_speak_are_told_their_own_scores():
    vision = told_network().encode(inputs()[0])
    branches = torch.tensor([[3, 1], [0, 4]])
    chosen, everyone = vision.au_features(branches), vision.au_features()
    for face, row in enumerate(branches):
        torch.testing.assert_close(chosen[face], everyone[face, row])


def test_words_do_not_move_the_scores_that_they_are_told():
    network = told_network()
    vision = network.encode(inputs()[0])
    (vision.told.local.sum() + vision.told.face.sum()).backward()
    moved = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert moved == {name for name, _ in network.named_parameters() if name.startswith("told_scores.")}


def test_a_mirrored_network_tells_the_scores_that_it_gives():
    network = told_network(mirrored=True).eval()
    with torch.no_grad():
        vision = network.encode(inputs()[0])
        told = network.told_scores(vision.scores)
    torch.testing.assert_close(vision.told.local, told.local)
    torch.testing.assert_close(vision.told.face, told.face)


def test_only_what_speaks_is_told():
    assert small_network(told_scores=True, local_language=False).told_scores.local is None
    assert small_network(told_scores=True, global_language=False).told_scores.face is None
    with pytest.raises(ConfigError, match="model.told_scores needs a caption decoder"):
        small_network(told_scores=True, local_language=False, global_language=False)
