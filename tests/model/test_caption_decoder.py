import torch

from tests.model.reference import read_word_by_word
from vlfau.model.caption_decoder import CaptionDecoder
from vlfau.model.taught_captions import taught_states


def decoder(**sizes):
    torch.manual_seed(0)
    return CaptionDecoder(**{"vocabulary_size": 11, "feature_dim": 8, "hidden_dim": 6, "embedding_dim": 5, **sizes})


def test_eq_4_attends_by_the_softmax_worked_out_by_hand():
    module = decoder(vocabulary_size=2, feature_dim=1, hidden_dim=1, embedding_dim=1)
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    module.attend_features.weight.data.fill_(1)
    module.attend_score.weight.data.fill_(2)
    features = torch.tensor([[[0.0], [1.0], [-3.0]]])
    step = module.step(torch.zeros(1, 1, dtype=torch.long), *torch.zeros(2, 1, 1, 1), features, features)
    # The scores are 2 ReLU(V) = (0, 2, 0).
    expected = torch.tensor([0.0, 2.0, 0.0]).softmax(0)
    torch.testing.assert_close(step.attention_weights[0, 0], expected)


def test_eq_5_is_the_lstm_cell_of_torch():
    module = decoder()
    cell = torch.nn.LSTMCell(8 + 5, 6)
    cell.weight_ih.data, cell.weight_hh.data = module.gates.weight.data.split([13, 6], dim=1)
    cell.bias_ih.data, cell.bias_hh.data = module.gates.bias.data, torch.zeros(24)
    features, hidden, memory = torch.randn(3, 4, 8), torch.randn(3, 1, 6), torch.randn(3, 1, 6)
    words = torch.tensor([[1], [2], [3]])
    step = module.step(words, hidden, memory, features, module.start(features).keys)
    attended = (step.attention_weights @ features)[:, 0]
    inputs = torch.cat([attended, module.embedding(words)[:, 0]], 1)
    expected = cell(inputs, (hidden[:, 0], memory[:, 0]))
    torch.testing.assert_close(step.hidden[:, 0], expected[0])
    torch.testing.assert_close(step.cell[:, 0], expected[1])


def test_taught_captions_equal_the_equations_read_word_by_word():
    module = decoder()
    features, words = torch.randn(3, 4, 8), torch.randint(0, 11, (3, 7))
    taught = module(features, words)
    for row in range(3):
        expected = read_word_by_word(module, features[row], words[row])
        torch.testing.assert_close(taught.logits[row], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(taught.attention_weights.sum(2), torch.ones(3, 7))


def test_steps_with_several_hypotheses_equal_teacher_forcing():
    module = decoder()
    features, words = torch.randn(2, 4, 8), torch.randint(0, 11, (2, 3, 5))
    start = module.start(features)
    hidden, cell = (state[:, None].expand(-1, 3, -1) for state in (start.hidden, start.cell))
    for place in range(5):
        step = module.step(words[:, :, place], hidden, cell, features, start.keys)
        hidden, cell = step.hidden, step.cell
    for beam in range(3):
        taught = module(features, words[:, beam])
        torch.testing.assert_close(step.logits[:, beam], taught.logits[:, -1], atol=1e-5, rtol=0)


def stepped(module, features, words):
    """The scores and the attention of whole captions, word by word, with automatic gradients."""
    start = module.start(features)
    hidden, cell, steps = start.hidden[:, None], start.cell[:, None], []
    for place in range(words.shape[1]):
        steps.append(module.step(words[:, place : place + 1], hidden, cell, features, start.keys))
        hidden, cell = steps[-1].hidden, steps[-1].cell
    return torch.cat([step.logits for step in steps], 1), torch.cat([step.attention_weights for step in steps], 1)


def test_the_gradients_of_taught_captions_are_those_of_single_steps():
    module = decoder().double()
    words, features = torch.randint(0, 11, (3, 7)), torch.randn(3, 4, 8, dtype=torch.double, requires_grad=True)
    taught, wanted = module(features, words), stepped(module, features, words)
    rates = [torch.randn_like(each) for each in wanted]
    ways = [(taught.logits, taught.attention_weights), wanted]
    totals = [sum((rate * each).sum() for rate, each in zip(rates, way, strict=True)) for way in ways]
    sources = [features, *module.parameters()]
    for found, expected in zip(*(torch.autograd.grad(total, sources) for total in totals), strict=True):
        torch.testing.assert_close(found, expected)


def test_teaching_one_caption_changes_none_of_its_inputs():
    tensors = [torch.randn(shape) for shape in ((1, 5, 16), (1, 4, 8), (1, 4, 8), (1, 4), (1, 4))]
    weights = {"hidden_weight": torch.randn(8, 4), "score_weight": torch.randn(8), "state_weight": torch.randn(16, 12)}
    before = [each.clone() for each in tensors]
    taught_states(*tensors[:3], (tensors[3], tensors[4]), **weights)
    for each, unchanged in zip(tensors, before, strict=True):
        assert torch.equal(each, unchanged)


def test_captions_are_taught_in_bfloat16_under_autocast():
    module, features, words = decoder(), torch.randn(3, 4, 8), torch.randint(0, 11, (3, 7))
    plain = module(features, words).logits
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = module(features, words).logits
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), plain, atol=0.03, rtol=0)
    logits.float().sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())
