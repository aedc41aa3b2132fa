import pytest
import torch

from vlfau.errors import ConfigError
from vlfau.model import ModelConfig, build_vlfau
from vlfau.model.losses import caption_loss, occurrence_loss

SMALL_SWIN = {"embed_dim": 12, "depths": (1, 1, 1, 1), "num_heads": (1, 1, 2, 2)}
WORDS = 20


def small_config(**options):
    return ModelConfig(
        **{
            "backbone": "swin_tiny_patch4_window7_224",
            "backbone_options": SMALL_SWIN,
            "crop_size": 112,
            "combined_dim": 16,
            "feature_dim": 16,
            "hidden_dim": 12,
            "embedding_dim": 10,
            **options,
        }
    )


def small_network(num_aus=5, **options):
    torch.manual_seed(0)
    return build_vlfau(small_config(**options), num_aus=num_aus, vocabulary_size=WORDS)


def inputs(num_aus=5, crop_size=112, batch=2):
    crops = torch.randint(0, 256, (batch, 3, crop_size, crop_size), dtype=torch.uint8)
    return crops, torch.randint(1, WORDS, (batch, num_aus, 6)), torch.randint(1, WORDS, (batch, 9))


@pytest.mark.parametrize("num_aus", [1, 5, 8, 12, 18])
@pytest.mark.parametrize("crop_size", [112, 224])
def test_every_output_has_its_documented_shape(num_aus, crop_size):
    network = small_network(num_aus, crop_size=crop_size)
    locations = {112: 16, 224: 49}[crop_size]
    output = network(*inputs(num_aus, crop_size))
    assert output.vision.au_logits.shape == (2, num_aus)
    assert output.vision.stem_features.shape == (2, locations, 16)
    assert output.vision.au_features().shape == (2, num_aus, locations, 16)
    assert output.vision.attention_maps.flatten(2).shape == (2, num_aus, locations)
    assert output.local_logits.shape == (2, num_aus, 6, WORDS)
    assert output.global_logits.shape == (2, 9, WORDS)
    assert output.global_au_logits.shape == (2, num_aus)


def test_the_joint_loss_reaches_every_parameter():
    network = small_network()
    crops, local_tokens, global_tokens = inputs()
    output = network(crops, local_tokens, global_tokens)
    labels, known, weights = (
        torch.randint(0, 2, (2, 5)).float(),
        torch.ones(2, 5, dtype=torch.bool),
        torch.ones(5),
    )
    loss = (
        occurrence_loss(output.vision.au_logits, labels, known, weights)
        + caption_loss(output.local_logits.flatten(0, 1), local_tokens.flatten(0, 1), pad_id=0)
        + caption_loss(output.global_logits, global_tokens, pad_id=0)
        + occurrence_loss(output.global_au_logits, labels, known, weights)
    )
    loss.backward()
    unreached = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    still = [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert unreached == []
    assert still == []


def test_bfloat16_autocast_gives_nearly_the_same_logits():
    network = small_network().eval()
    batch = inputs()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rough = network(*batch)
    with torch.no_grad():
        exact = network(*batch)
    torch.testing.assert_close(rough.vision.au_logits.float(), exact.vision.au_logits, atol=0.05, rtol=0)
    torch.testing.assert_close(rough.local_logits.float(), exact.local_logits, atol=0.05, rtol=0)


def test_captions_of_chosen_branches_equal_those_branches_among_all():
    network = small_network().eval()
    crops, local_tokens, _ = inputs()
    branches = torch.tensor([[3, 0], [1, 4]])
    chosen = local_tokens[torch.arange(2)[:, None], branches]
    everything = network(crops, local_tokens).local_logits
    some = network(crops, chosen, None, branches).local_logits
    torch.testing.assert_close(some, everything[torch.arange(2)[:, None], branches])


def test_padding_does_not_change_the_global_au_classifier():
    network = small_network().eval()
    crops, _, global_tokens = inputs()
    padded = torch.cat([global_tokens, torch.zeros(2, 4, dtype=torch.long)], 1)
    torch.testing.assert_close(
        network(crops, None, padded).global_au_logits, network(crops, None, global_tokens).global_au_logits
    )


@pytest.mark.parametrize(
    ("switches", "absent"),
    [
        ({"multi_scale": False, "dair": False, "local_language": False, "global_language": False},
         ("scale_convs.0", "refinement", "local_decoder", "global_decoder", "global_classifier")),
        ({"local_language": False, "global_language": False}, ("local_decoder", "global_decoder", "global_classifier")),
        ({"global_language": False}, ("global_decoder", "global_classifier")),
        ({"local_language": False}, ("local_decoder",)),
        ({"multi_scale": False}, ("scale_convs.0",)),
        ({}, ()),
    ],
)  # fmt: skip
def test_every_ablation_lacks_exactly_its_parts_and_still_works(switches, absent):
    network = small_network(**switches)
    names = " ".join(network.state_dict())
    parts = ("scale_convs.0", "refinement", "local_decoder", "global_decoder", "global_classifier")
    assert tuple(part for part in parts if part not in names) == absent
    output = network(*inputs())
    assert output.vision.au_logits.isfinite().all()
    assert (output.local_logits is None) == ("local_decoder" in absent)
    assert (output.global_au_logits is None) == ("global_classifier" in absent)


def test_landmarks_and_intensities_are_part_of_what_the_network_says():
    vision = small_network(landmarks=7, intensity=True).encode(inputs()[0])
    assert vision.by_landmarks.landmarks.shape == (2, 7, 2)
    both = [vision.branch_scores, vision.by_landmarks.scores]
    torch.testing.assert_close(vision.au_logits, (both[0].logits + both[1].logits) / 2)
    torch.testing.assert_close(vision.au_intensities, (both[0].intensities + both[1].intensities) / 2)


@pytest.mark.parametrize("landmarks", [-1, 469])
def test_an_impossible_number_of_landmarks_is_refused(landmarks):
    with pytest.raises(ConfigError, match=f"model.landmarks is {landmarks}; a face has 0 to 468"):
        small_network(landmarks=landmarks)


@pytest.mark.parametrize("landmarks", [0, 7])
def test_a_mirrored_network_says_the_same_of_a_face_and_its_mirror_image(landmarks):
    network = small_network(landmarks=landmarks, intensity=True, mirrored=True).eval()
    crops = inputs(batch=3)[0]
    with torch.no_grad():
        seen, reflected = network.encode(crops), network.encode(crops.flip(3))
        network.mirrored = False
        once, other = network.encode(crops), network.encode(crops.flip(3))
    torch.testing.assert_close(seen.au_logits, reflected.au_logits)
    torch.testing.assert_close(seen.au_logits, (once.au_logits + other.au_logits) / 2)
    torch.testing.assert_close(seen.au_intensities, (once.au_intensities + other.au_intensities) / 2)
    torch.testing.assert_close(seen.stem_features, once.stem_features)  # words and maps are the face's own
    torch.testing.assert_close(seen.attention_maps, once.attention_maps)
    assert not torch.allclose(once.au_logits, other.au_logits)


def test_training_looks_at_a_face_once():
    network = small_network(mirrored=True).train()
    plain = small_network().train()
    crops = inputs()[0]
    torch.testing.assert_close(network.encode(crops).au_logits, plain.encode(crops).au_logits)


def test_a_frozen_vision_half_stays_in_evaluation():
    network = small_network(landmarks=7, normalise=True)
    network.freeze_vision()
    network.train()
    assert network.local_decoder.training
    assert not network.stem.training
    assert not any(part.training for part in network.landmark_branch.modules())
    thawed = {name.partition(".")[0] for name, weight in network.named_parameters() if weight.requires_grad}
    assert thawed == {"local_decoder", "global_decoder", "global_classifier"}


def test_without_dair_all_branches_see_the_shared_features():
    vision = small_network(dair=False, local_language=False).encode(inputs()[0])
    for branch in range(5):
        assert torch.equal(vision.au_features()[:, branch], vision.stem_features)
    assert vision.attention_maps.unique().tolist() == [1]


def test_local_language_without_dair_is_refused():
    with pytest.raises(ConfigError, match="local captions need DAIR"):
        small_network(dair=False)


@pytest.mark.slow
def test_the_papers_configuration_has_the_papers_dimensions():
    network = build_vlfau(ModelConfig(), num_aus=12, vocabulary_size=400).eval()
    with torch.no_grad():
        vision = network.encode(torch.zeros(1, 3, 224, 224))
    assert vision.au_features().shape == (1, 12, 49, 512)
    assert network.stem.combine.weight.shape == (512, 1024)
    backbone = sum(parameter.numel() for parameter in network.stem.backbone.parameters())
    assert backbone == pytest.approx(86.7e6, rel=0.01)


def test_intensities_lie_on_the_scale_from_0_to_5_and_are_off_by_default():
    crops = inputs()[0]
    assert small_network().encode(crops).au_intensities is None
    network = small_network(intensity=True)
    network.intensity_head.linear.weight.data *= 1000
    intensities = network.encode(crops).au_intensities
    assert intensities.shape == (2, 5)
    assert 0 <= intensities.min() < 1
    assert 4 < intensities.max() <= 5
