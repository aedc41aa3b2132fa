"""What each method is known for is there, and its output depends on it."""

import math
from dataclasses import replace

import pytest
import torch

from tests.model.rivals.conftest import AU_IDS, faces, fit, losses
from vlfau.model.rivals.aar import AAR
from vlfau.model.rivals.centres import LANDMARKS, AUCentres, centre_attention
from vlfau.model.rivals.described_states import PRESENT, TRACE, described_classes
from vlfau.model.rivals.jaanet import alignment_loss
from vlfau.model.rivals.kdsrl import AREAS, area_contrast
from vlfau.model.rivals.parts import dice_loss
from vlfau.model.rivals.registry import RIVALS

ABLATIONS = [
    ("me-graphau", "edges.to_face"),
    ("me-graphau", "edges.to_au"),
    ("me-graphau", "gated.0.edge"),
    ("me-graphau", "gated.1.others"),
    ("jaa-net", "regions.0.by_region.0"),
    ("jaa-net", "regions.2.by_region.2"),
    ("jaa-net", "refine"),
    ("jaa-net", "align_features"),
    ("aar", "attention"),
    ("aar", "relations.0.own"),
    ("aar", "relations.0.others"),
    ("lgrnet", "landmarks.head"),
    ("lgrnet", "forwards.skip"),
    ("lgrnet", "backwards.cell"),
    ("lgrnet", "gate"),
    ("lgrnet", "whole"),
    ("fau-trans", "attention"),
    ("fau-trans", "blocks.1.query"),
    ("sev-net", "embed"),
    ("sev-net", "intra.value"),
    ("sev-net", "inter.value"),
    ("sev-net", "ask"),
    ("sma-vit", "blocks.0.ask"),
    ("sma-vit", "blocks.1.query"),
    ("ugn-b", "mean"),
    ("ugn-b", "message"),
    ("hmp-ps", "message.mean"),
    ("hmp-ps", "message.key"),
    ("hmp-ps", "message.difference"),
    ("hmp-ps", "message.mix"),
    ("ks", "student"),
    ("ks", "attention"),
]


CONTROLS = {"described-states"}


@pytest.mark.parametrize(("method", "part"), ABLATIONS)
def test_the_scores_change_without_a_part(make, method, part):
    network = make(method).eval()
    crops, _ = faces(4)
    with torch.no_grad():
        before = network.encode(crops).au_logits
        for weight in network.rival.get_submodule(part).parameters():
            weight.zero_()
        after = network.encode(crops).au_logits
    assert (after - before).abs().max() > 1e-6


def test_every_method_has_a_part_that_is_ablated():
    # The mechanism of these two is what they learn from, not a part of the prediction.
    assert {method for method, _ in ABLATIONS} | {"kdsrl", *CONTROLS} == set(RIVALS)


@pytest.mark.parametrize("method", sorted(RIVALS.keys() - CONTROLS))
def test_a_methods_published_name_is_in_the_papers_tables(method):
    from vlfau.paper.published import read_published

    names = {entry.name for entry in read_published().methods}
    assert set(RIVALS[method].published) <= names
    assert RIVALS[method].published


def test_every_published_method_but_ours_can_be_trained():
    from vlfau.paper.published import read_published

    trainable = {name for kind in RIVALS.values() for name in kind.published}
    assert {entry.name for entry in read_published().methods} - trainable == {"VL-FAU"}


def test_au_centres_follow_from_the_landmarks():
    places = dict.fromkeys(LANDMARKS, (0.5, 0.5))
    places |= {133: (0.4, 0.4), 362: (0.6, 0.4), 107: (0.35, 0.3), 336: (0.65, 0.3), 61: (0.3, 0.7), 291: (0.7, 0.7)}
    landmarks = torch.tensor([[places[number] for number in LANDMARKS]])
    right, left = AUCentres((1, 12))(landmarks)[0].unbind(1)  # (N, 2)
    assert right[0].tolist() == pytest.approx([0.35, 0.2])  # half the inner eye corners' distance above the brow's end
    assert left[0].tolist() == pytest.approx([0.65, 0.2])
    assert right[1].tolist() == pytest.approx([0.3, 0.7])
    attention = centre_attention(AUCentres((1,))(landmarks), 20, 20)[0, 0]
    assert divmod(int(attention.argmax()), 20) in {(3, 6), (3, 7), (4, 6), (4, 7), (3, 12), (3, 13), (4, 12), (4, 13)}
    assert attention[10, 10] == 0
    assert attention[4, 6].item() == pytest.approx(attention[4, 13].item())
    assert attention[4, 6] > 0.7


def test_unknown_landmarks_give_unknown_attention():
    landmarks = torch.full((1, len(LANDMARKS), 2), 0.5)
    landmarks[0, LANDMARKS.index(61)] = math.nan
    attention = centre_attention(AUCentres((1, 12))(landmarks), 4, 4)[0]
    assert attention[1].isnan().any()
    assert not attention[0].isnan().any()


def test_dice_loss_of_a_sure_and_right_score_is_small():
    ones = torch.ones(1, 1)
    known = ones.bool()
    assert dice_loss(50 * ones, ones, known, torch.ones(1)).item() == pytest.approx(0, abs=1e-6)
    # p = 1, y = 0: 1 - 1 / (1 + 1)
    assert dice_loss(50 * ones, 0 * ones, known, torch.ones(1)).item() == pytest.approx(0.5)
    assert dice_loss(50 * ones, 0 * ones, ~known, torch.ones(1)).item() == 0


def test_alignment_loss_sums_landmarks_in_units_of_the_eyes_distance():
    places = torch.zeros(2, len(LANDMARKS), 2)
    for number, x in {33: 0.1, 133: 0.3, 145: 0.2, 159: 0.2, 263: 0.7, 362: 0.5, 374: 0.6, 386: 0.6}.items():
        places[:, LANDMARKS.index(number), 0] = x
    found = places.clone()
    found[..., 1] += 0.4  # as far as the eyes' centres are apart
    assert alignment_loss(found, places).item() == pytest.approx(0.5 * len(LANDMARKS))
    found[1] = places[1]
    assert alignment_loss(found, places).item() == pytest.approx(0.25 * len(LANDMARKS))
    places[0, LANDMARKS.index(33)] = math.nan  # without its eye, a face does not count
    assert alignment_loss(found, places).item() == 0


def test_me_graphau_links_each_au_to_its_most_similar_ones(make):
    graph = make("me-graphau", neighbours=2).rival.similarity_graph
    nodes = torch.tensor([[[3.0, 0.0], [2.0, 0.1], [0.0, 3.0], [0.1, 2.0]]])
    nodes = torch.cat([nodes, nodes.new_zeros(1, 4, 14)], dim=2)
    assert (graph.links(nodes)[0] > 0).tolist() == [
        [True, True, False, False],
        [True, True, False, False],
        [False, False, True, True],
        [False, False, True, True],
    ]


def test_me_graphaus_edge_holds_what_its_sender_asks_of_its_receiver(make):
    edges = make("me-graphau").rival.edges
    located, face = torch.randn(3, len(AU_IDS), 5, 16), torch.randn(3, 5, 16)
    with torch.no_grad():
        for weight in edges.to_au.query.parameters():
            weight.zero_()  # all askers are told the same
        found = edges(located, face)
    assert torch.allclose(found[:, 0, 1], found[:, 0, 2], atol=1e-5)
    assert not torch.allclose(found[:, 1, 0], found[:, 2, 0], atol=1e-2)


def test_me_graphau_trains_the_similarity_graph_first_and_edges_after(make):
    network = make("me-graphau").train()
    crops, targets = faces()
    network.rival.progress = 0.1
    assert set(losses(network, crops, targets)) == {"fau"}
    network.rival.progress = 0.9
    terms = losses(network, crops, targets)
    assert set(terms) == {"fau", "edges"}
    assert terms["edges"].item() == pytest.approx(0.01 * math.log(4), rel=0.5)


def test_me_graphau_tells_edges_which_aus_act(make):
    """A classifier of edges that knows the states has no loss."""
    rival = make("me-graphau").rival
    _, targets = faces()
    states = targets.occurrence.long()
    classes = 2 * states[:, :, None] + states[:, None]
    logits = 100 * torch.nn.functional.one_hot(classes, 4).float()
    output = replace(make("me-graphau")(faces()[0]).vision.rival, extras={"edge_logits": logits})
    assert rival.losses(output, targets)["edges"].item() == pytest.approx(0, abs=1e-6)


def test_jaa_nets_attention_lies_where_its_landmarks_are(make):
    network = make("jaa-net").train()  # with the batch's statistics, for an untrained network has none
    crops, _ = faces(4)
    with torch.no_grad():
        first = network(crops).vision
        network.rival.landmarks[1].bias += 0.3 * torch.randn(2 * len(LANDMARKS))
        moved = network(crops).vision
    assert not torch.equal(first.rival.extras["predefined"], moved.rival.extras["predefined"])
    assert (first.au_logits - moved.au_logits).abs().max() > 1e-4


def test_jaa_nets_local_features_learn_from_their_own_scores_alone(make):
    network = make("jaa-net").train()
    crops, targets = faces(4)
    terms = network.rival.losses(network(crops).vision.rival, targets)
    (terms["fau"] + terms["dice"]).backward(retain_graph=True)
    weight = network.rival.local_features[0][0].weight
    assert weight.grad is None or not weight.grad.any()
    terms["local"].backward()
    assert weight.grad.any()


def test_jaa_nets_last_layers_are_linear(make):
    scores = make("jaa-net").rival.scores
    one, other = torch.randn(2, 3, scores[0].in_features)
    assert torch.allclose(scores(one + other) + scores(0 * one), scores(one) + scores(other), atol=1e-5)


def test_jaa_net_finds_landmarks(make):
    network = make("jaa-net")
    fit(network, 60)
    crops, targets = faces()
    found = network.eval()(crops).vision.rival.extras["landmarks"]
    assert (found - targets.landmarks).abs().mean() < 0.08


def test_aars_frames_are_scored_with_their_neighbours_in_training_alone(make):
    network = make("aar").train()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            layer.eval()
    crops, _ = faces(8)
    other = crops.clone()
    other[1] = crops[6]
    first, second = (network(each).vision.au_logits for each in (crops, other))
    assert not torch.allclose(first[0], second[0])
    assert torch.allclose(first[4:], second[4:], atol=1e-6)  # another clip
    network.eval()
    first, second = (network(each).vision.au_logits for each in (crops, other))
    assert torch.allclose(first[0], second[0], atol=1e-6)


def test_aars_attention_is_drawn_to_the_centres(make):
    network = make("aar", attention_weight=100.0)
    before = losses(network.train(), *_clips())["attention"].item()
    fit(network, 30)
    assert losses(network.train(), *_clips())["attention"].item() < 0.5 * before
    assert AAR.clip_length == 8


def _clips():
    return faces(16, clip_length=4)


def test_lgrnets_states_reach_two_places_on(make):
    lstm = make("lgrnet").rival.forwards
    sequence = torch.zeros(1, 4, 64)
    plain = lstm(sequence)
    with torch.no_grad():
        lstm.skip.weight.zero_()
    cut = lstm(sequence)
    assert torch.equal(plain[:, :2], cut[:, :2])
    assert not torch.equal(plain[:, 2], cut[:, 2])


def test_ugn_bs_uncertainty_grows_with_the_spread_of_its_masks(make):
    network = make("ugn-b").train()
    crops, _ = faces()
    torch.manual_seed(0)
    wide = network(crops).vision.rival.extras["uncertainty"].mean()
    with torch.no_grad():
        network.rival.spread.general -= 20
    torch.manual_seed(0)
    assert network(crops).vision.rival.extras["uncertainty"].mean() < 0.01 * wide


def test_ugn_b_sends_messages_along_its_learned_graph_alone(make):
    network = make("ugn-b")
    crops, _ = faces()
    with torch.no_grad():
        network.rival.graph.zero_()
        alone = network(crops).vision.au_logits
        network.rival.message.weight.normal_()
        assert torch.equal(network(crops).vision.au_logits, alone)
        network.rival.graph[0, 1] = 1
        moved = (network(crops).vision.au_logits - alone).abs().amax(0)
    assert moved[0] > 0
    assert not moved[1:].any()


def test_ugn_b_weighs_uncertain_faces_more(make):
    rival = make("ugn-b").rival
    _, targets = faces(2)
    logits = torch.tensor([[3.0, 0, 0, 0], [0.0, 0, 0, 0]])
    wrong = replace(targets, occurrence=torch.zeros(2, 4))
    output = replace(make("ugn-b")(faces(2)[0]).vision.rival, au_logits=logits)

    def loss(uncertainty):
        extras = {"uncertainty": torch.tensor(uncertainty), "divergence": torch.zeros(())}
        return rival.losses(replace(output, extras=extras), wrong)["fau"].item()

    calm = [[0.1] * 4, [0.1] * 4]
    assert loss([[0.9, 0.1, 0.1, 0.1], [0.1] * 4]) > loss(calm) > loss([[0.0, 0.1, 0.1, 0.1], [0.1] * 4])


def test_hmp_pss_chain_moves_to_graphs_that_perform(make):
    network = make("hmp-ps").train()
    first = network.rival.links.clone()
    fit(network, 30)
    links = network.rival.links
    assert not torch.equal(links, first)
    assert torch.equal(links, links.transpose(1, 2))
    assert links.diagonal(dim1=1, dim2=2).all()
    best = network.rival.performance.argmax()
    with torch.no_grad():
        network.rival.temperature = 1e-9
        each = network.eval()(faces()[0]).vision.rival
    assert torch.allclose(each.au_logits, each.extras["by_structure"][best], atol=1e-4)


def test_kdsrl_learns_areas_first_and_aus_after(make):
    network = make("kdsrl").train()
    crops, targets = faces()
    network.rival.progress = 0.1
    assert set(losses(network, crops, targets)) == {"contrast", "predict"}
    network.rival.progress = 0.5
    assert set(losses(network, crops, targets)) == {"fau"}


def test_kdsrls_contrast_falls_without_labels(make):
    network = make("kdsrl", pretraining=1.0)
    totals = fit(network, 30, rate=2e-3)
    assert totals[-1] < 0.8 * totals[0]


def test_an_area_that_finds_itself_has_no_contrast():
    areas = torch.eye(2 * len(AREAS)).view(2, len(AREAS), -1)  # all areas of all faces differ
    lost = math.log(1 + len(AREAS) * math.exp(-10))
    assert area_contrast(areas, areas).item() == pytest.approx(lost, abs=1e-4)
    alike = torch.ones(2, len(AREAS), 3)
    assert area_contrast(alike, alike).item() == pytest.approx(math.log(len(AREAS) + 1))


def test_ks_learns_from_the_labels_of_key_frames_alone(make):
    network = make("ks").train()
    crops, targets = faces(4, clip_length=4)
    keys = torch.arange(16) % 4 == 2
    other = targets.occurrence.clone()
    other[~keys] = 1 - other[~keys]
    first = losses(network, crops, targets)
    second = losses(network, crops, replace(targets, occurrence=other))
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)
    other[keys] = 1 - other[keys]
    third = losses(network, crops, replace(targets, occurrence=other))
    assert not torch.allclose(first["fau"], third["fau"])


def test_ks_spreads_what_its_teacher_says(make):
    network = make("ks").train()
    output = network(faces(4, clip_length=4)[0]).vision.rival
    _, targets = faces(4, clip_length=4)
    sure = torch.full((16, len(AU_IDS)), 9.0)

    def spread(student, teacher):
        extras = dict(output.extras) | {"teacher_logits": teacher}
        return network.rival.losses(replace(output, au_logits=student, extras=extras), targets)

    assert spread(sure, sure)["pseudo"] < 0.01 < spread(-sure, sure)["pseudo"]
    assert spread(-sure, 0 * sure)["pseudo"] == 0  # an unsure teacher
    assert spread(sure, sure)["distil"] < spread(-sure, sure)["distil"]


def test_described_states_are_classes_of_state_and_degree():
    occurrence = torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
    intensity = torch.tensor([[1.0, 5.0, math.nan, 0.0, 1.0, math.nan]])
    assert described_classes(occurrence, intensity).tolist() == [[1, 5, PRESENT, 0, TRACE, 0]]


def test_the_control_starts_at_the_size_of_the_caption_losses(make):
    from vlfau.language import Vocabulary

    network = make("described-states").train()
    terms = losses(network, *faces())
    assert set(terms) == {"fau", "local", "face"}
    size = math.log(len(Vocabulary.for_aus(AU_IDS)))  # the caption loss of a decoder that knows nothing
    assert terms["local"].item() == pytest.approx(size, rel=0.15)
    assert terms["face"].item() == pytest.approx(size, rel=0.15)
    assert network.eval()(faces()[0]).vision.rival.extras == {}


def test_the_control_can_be_held_to_the_course_of_the_caption_losses(make):
    from vlfau.language import Vocabulary

    network = make("described-states", end_size=0.5).train()
    size = math.log(len(Vocabulary.for_aus(AU_IDS)))
    for progress in (0.0, 0.17, 1.0):
        wanted = 0.5 + (size - 0.5) * math.exp(-progress / 0.17)
        network.rival.progress = progress
        terms = losses(network, *faces())
        assert terms["local"].item() == pytest.approx(wanted)
        assert terms["face"].item() == pytest.approx(wanted)
    network.zero_grad()
    terms["face"].backward()
    assert network.rival.face.classify[0].weight.grad.abs().sum() > 0
    crops, targets = faces()
    unknown = replace(targets, valid_mask=torch.zeros_like(targets.valid_mask))
    assert losses(network, crops, unknown)["local"].item() == 0
