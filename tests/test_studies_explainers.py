from studies.explainers import SENTENCES, blendshape_text

from vlfau.faces.blendshapes import BLENDSHAPE_NAMES
from vlfau.language.claims import read_claims


def test_blendshapes_become_sentences_that_the_reader_reads_as_the_au_they_stand_for():
    text = blendshape_text({"mouthSmileLeft": 0.1, "mouthSmileRight": 0.8, "browInnerUp": 0.2, "jawOpen": 0.5})
    assert text == "The lip corners are pulled up. The jaw is dropped."
    assert [(claim.au_id, claim.active) for claim in read_claims(text).claims] == [(12, True), (26, True)]
    assert blendshape_text({"neutral": 1.0}) == ""


def test_every_sentence_belongs_to_a_blendshape_and_claims_one_au():
    plain = {name.removesuffix("Left").removesuffix("Right") for name in BLENDSHAPE_NAMES}
    assert SENTENCES.keys() <= plain
    claimed = [read_claims(sentence).claims for sentence in SENTENCES.values()]
    assert all(len(claims) == 1 and claims[0].active for claims in claimed)
