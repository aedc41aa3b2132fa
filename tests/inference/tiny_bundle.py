"""A bundle whose answers a person can work out.

Its three AUs are AU1, AU6 and AU12, and their logits are 10 * (c - 0.5), where c is the mean red, green and
blue of the crop, from 0 to 1. The decoders say the texts below word by word, whatever was said before: the
local one that of its AU, the global one that of the strongest colour.
"""

import numpy as np
import onnx
from onnx import numpy_helper, parser

from vlfau.faces import CropGeometry
from vlfau.inference.bundle import BundleInfo, write_model_json
from vlfau.language import Vocabulary
from vlfau.language.tokenizer import tokenize

AU_IDS = (1, 6, 12)
THRESHOLDS = (0.5, 0.5, 0.25)
CROP_SIZE = 16
LOCAL_TEXTS = ("The inner brows rise.", "The cheeks rise.", "The lip corners rise, up.")
GLOBAL_TEXTS = ("This man raises the brows.", "This man raises the cheeks.", "This man raises the corners.")
NEUTRAL_TEXTS = tuple(text.replace("man", "person") for text in GLOBAL_TEXTS)
MAX_LENGTH = 10
_WORDS = {token for text in (*LOCAL_TEXTS, *GLOBAL_TEXTS, *NEUTRAL_TEXTS) for token in tokenize(text)}
VOCABULARY = Vocabulary.from_list(["<pad>", "<bos>", "<eos>", *sorted(_WORDS)])

# Features have d = 4 channels: the three colours, and the place of the AU.
VISION = """
<ir_version: 10, opset_import: ["" : 20]>
vision (uint8[B,16,16,3] crops) => (
  float[B,3] au_logits, float[B,4,4] stem_features, float[B,3,4,4] au_features, float[B,3,2,2] attention_maps
) {
  floats = Cast <to: int = 1> (crops)
  means = ReduceMean <keepdims: int = 0> (floats, height_and_width)
  colours = Div (means, full)
  centred = Sub (colours, half)
  au_logits = Mul (centred, ten)
  colours_and_0 = Pad (colours, one_more_column)
  row = Unsqueeze (colours_and_0, axis_1)
  stem_features = Expand (row, stem_shape)
  branch = Unsqueeze (stem_features, axis_1)
  au_features = Add (branch, au_places)
  logit_maps = Unsqueeze (au_logits, axes_2_and_3)
  attention_maps = Add (logit_maps, maps)
}
"""
INIT = """
<ir_version: 10, opset_import: ["" : 20]>
init (float[S,4,4] features) => (float[S,4,4] keys, float[S,4] hidden, float[S,4] cell) {
  keys = Identity (features)
  pooled = ReduceMean <keepdims: int = 0> (features, axis_1)
  hidden = Sub (pooled, pooled)
  cell = Identity (hidden)
}
"""
# The hidden state counts the words that were said; AUs and colours choose the text, a row of the table.
STEP = """
<ir_version: 10, opset_import: ["" : 20]>
step (
  int64[S,K] token_ids, float[S,K,4] hidden, float[S,K,4] cell, float[S,4,4] features, float[S,4,4] keys
) => (
  float[S,K,W] logits, float[S,K,4] next_hidden, float[S,K,4] next_cell, float[S,K,4] attention_weights
) {
  next_hidden = Add (hidden, one)
  next_cell = Identity (cell)
  attention_weights = Identity (hidden)
  pooled = ReduceMean <keepdims: int = 0> (keys, axis_1)
  scores = MatMul (pooled, text_scores)
  biased = Add (scores, text_bias)
  text = ArgMax <axis: int = 1> (biased)
  first_row = Mul (text, max_length)
  count = ReduceMean <keepdims: int = 0> (hidden, axis_2)
  place = Cast <to: int = 7> (count)
  row = Add (first_row, place)
  logits = Gather (table, row)
}
"""


def prob(colour):
    """The probability of an AU whose colour has this mean, from 0 to 255."""
    return 1 / (1 + np.exp(-10 * (colour / 255 - 0.5)))


def write_tiny_bundle(folder, *, local=True, global_=True, **changes):
    """Write the bundle to a new folder; `changes` replace fields of its description."""
    folder.mkdir(parents=True)
    onnx.save(_vision(), folder / "vision.onnx")
    # A place p of an AU scores 2kp - k^2 for the text k: most for k = p. A colour scores for its own text.
    by_au = np.outer([0, 0, 0, 1], [0, 2, 4]), np.array([0, -1, -4])
    by_colour = np.eye(4, 3), np.zeros(3)
    for name, wanted, texts, scores in (
        ("local", local, LOCAL_TEXTS, by_au),
        ("global", global_, GLOBAL_TEXTS, by_colour),
    ):
        if wanted:
            onnx.save(_with_constants(INIT, axis_1=np.array([1])), folder / f"{name}_init.onnx")
            onnx.save(_step(texts, *scores), folder / f"{name}_step.onnx")
    values = {
        "name": "tiny",
        "version": "1.0",
        "licence": "Apache-2.0",
        "created": "2026-01-31",
        "au_ids": AU_IDS,
        "thresholds": THRESHOLDS,
        "crop": CropGeometry(aligned_size=CROP_SIZE, crop_size=CROP_SIZE),
        "vocabulary": VOCABULARY.tokens,
        "max_local_length": MAX_LENGTH,
        "max_global_length": MAX_LENGTH,
        "training": {"data": "none", "synthetic": False, "from_scratch": True},
        "scores": {"f1_macro": 0.5},
    } | changes
    return write_model_json(folder, BundleInfo(**values))


def _vision():
    au_places = np.zeros((1, 3, 1, 4), np.float32)
    au_places[0, :, 0, 3] = range(3)
    return _with_constants(
        VISION,
        height_and_width=np.array([1, 2]),
        full=np.float32(255),
        half=np.float32(0.5),
        ten=np.float32(10),
        one_more_column=np.array([0, 0, 0, 1]),
        axis_1=np.array([1]),
        axes_2_and_3=np.array([2, 3]),
        stem_shape=np.array([1, 4, 1]),
        au_places=au_places,
        maps=np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2),
    )


def _step(texts, text_scores, text_bias):
    table = np.zeros((len(texts) * MAX_LENGTH, len(VOCABULARY)), np.float32)
    for row, text in enumerate(texts):
        for place, token_id in enumerate(VOCABULARY.encode(text, MAX_LENGTH)):
            table[row * MAX_LENGTH + place, token_id] = 8
    return _with_constants(
        STEP,
        one=np.float32(1),
        axis_1=np.array([1]),
        axis_2=np.array([2]),
        text_scores=text_scores.astype(np.float32),
        text_bias=text_bias.astype(np.float32),
        max_length=np.array([[MAX_LENGTH]]),
        table=table,
    )


def _with_constants(text, **constants):
    model = parser.parse_model(text)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()
    )
    return model
