from vlfau.language.tokenizer import detokenize, sentences, tokenize


def test_commas_and_full_stops_are_tokens() -> None:
    assert tokenize("The jaw sinks, the chin too.") == ["the", "jaw", "sinks", ",", "the", "chin", "too", "."]


def test_only_sentences_begin_with_a_capital() -> None:
    assert detokenize(["the", "jaw", "sinks", ".", "teeth", ",", "apart", "."]) == "The jaw sinks. Teeth, apart."


def test_no_token_makes_an_empty_text() -> None:
    assert detokenize([]) == ""


def test_a_last_sentence_without_full_stop_counts() -> None:
    assert list(sentences(["yes", ".", ".", "no"])) == [("yes",), ("no",)]
