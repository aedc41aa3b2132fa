"""Folders as evaluated runs leave them, with predictions that follow from a seed."""

import json
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vlfau.evaluation.predictions import Predictions
from vlfau.facs import AU_SETS, AUState
from vlfau.language import Gender, global_description, local_description
from vlfau.prepare.protocol import read_protocol

GENDERS = {"F": Gender.WOMAN, "M": Gender.MAN}
VARIANTS = ((1, "baseline"), (2, "+ MARL"), (3, "+ LLGA"), (4, "+ GLGA"), (5, "VL-FAU"))


@dataclass(frozen=True)
class Data:
    """What runs are built on."""

    folder: object
    au_set: str = "disfa"
    synthetic: bool = True
    description: str = "drawn faces"
    subjects: int = 10
    frames: int = 6
    size: int = 24

    @property
    def au_ids(self):
        return AU_SETS[self.au_set]

    def write_pictures(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(7)
        for number in range(self.subjects * self.frames):
            picture = rng.integers(0, 256, (self.size, self.size, 3), dtype=np.uint8)
            Image.fromarray(picture).save(self.folder / f"{number}.png")


def predictions(data, *, error=0.1, seed=1, words=True, genders="FM", separation=2.0):
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(7)
    frames, aus = data.subjects * data.frames, len(data.au_ids)
    occurrence = (truth.random((frames, aus)) < 0.35).astype(np.int8)
    said = np.where(rng.random((frames, aus)) < error, 1 - occurrence, occurrence)
    people = np.repeat(np.arange(data.subjects), data.frames)
    known = [genders[person % len(genders)] if genders else "" for person in people]
    features = rng.normal(size=(frames, aus, 16)) + separation * rng.normal(size=(1, aus, 16))
    features += separation / 3 * rng.normal(size=(data.subjects, 1, 16))[people]
    vertical, horizontal = np.mgrid[0:7, 0:7]
    centres = rng.uniform(1, 6, (aus, 2))
    maps = np.exp(-((vertical - centres[:, :1, None]) ** 2 + (horizontal - centres[:, 1:, None]) ** 2) / 3)
    local = tuple(
        tuple(local_description(AUState(au_id, bool(on)), rng) for au_id, on in zip(data.au_ids, row, strict=True))
        for row in said
    )
    whole = tuple(
        global_description(
            [AUState(au_id, bool(on)) for au_id, on in zip(data.au_ids, row, strict=True)], GENDERS.get(gender), rng
        )
        for row, gender in zip(said, known, strict=True)
    )
    return Predictions(
        au_ids=data.au_ids,
        images=tuple(f"{number}.png" for number in range(frames)),
        subject_ids=tuple(f"S{person:02}" for person in people),
        genders=tuple(known),
        folds=(1,) * frames,
        au_probs=np.clip(0.2 + 0.6 * said + rng.uniform(-0.15, 0.15, said.shape), 0, 1).astype(np.float32),
        occurrence=occurrence,
        au_features=features.astype(np.float16),
        attention_maps=np.broadcast_to(maps, (frames, aus, 7, 7)).astype(np.float16),
        local_captions=local if words else None,
        global_captions=whole if words else None,
        consistent_captions=local if words else None,
    )


def figures(au_ids, *, level=0.6):
    shares = {str(au_id): round(level + 0.02 * (place - 3) * (1.6 - level), 4) for place, au_id in enumerate(au_ids)}
    mean = sum(shares.values()) / len(shares)
    return {
        "f1_per_au": shares,
        "accuracy_per_au": {key: min(share + 0.2, 1.0) for key, share in shares.items()},
        "roc_auc_per_au": {},
        "ece_per_au": dict.fromkeys(shares, 0.05),
        "f1_macro": mean,
        "accuracy_macro": mean + 0.2,
        "f1_micro": mean,
        "roc_auc_macro": None,
        "ece_macro": 0.05,
        "intervals": {
            "f1_macro": [mean - 0.05, mean + 0.05],
            "f1_per_au": {key: [share - 0.1, share + 0.1] for key, share in shares.items()},
        },
        "words": {
            "frames": 9,
            "local_top5": level + 0.2,
            "global_top5": level,
            "local_top5_canonical": level + 0.2,
            "global_top5_canonical": level,
            "global_cider_d": 1.25,
        },
        "truth": {"local_agrees_with_true": 0.8, "pointing_game": 0.7, "pointing_game_per_au": shares},
        "counterfactuals": {"pairs": 40, "state_flips": 0.75, "per_au": {"1": {"pairs": 40, "state_flips": None}}},
    }


def scores(data, *, level=0.6, fold=1):
    return {
        "format": 1,
        "data": {"description": data.description, "synthetic": data.synthetic, "au_set": data.au_set},
        "au_ids": list(data.au_ids),
        "fold": fold,
        "frames": data.subjects * data.frames,
        "subjects": data.subjects,
        "threshold": 0.5,
        "network": {"backbone": "swin_tiny", "from_scratch": True, "epoch_choice": "last"},
        **figures(data.au_ids, level=level),
    }


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def amend(folder, **changes):
    """Change entries of a run's scores; a mapping is merged into the one that is there."""
    content = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    for name, value in changes.items():
        content[name] = {**content.get(name, {}), **value} if isinstance(value, dict) else value
    write_json(folder / "scores.json", content)


def publish(folder, au_set):
    """Give a cross-validation the frames and people of a published data set."""
    folds = read_protocol(au_set).folds
    for number, fold in enumerate(folds, start=1):
        amend(folder / f"fold{number}", frames=fold.frames, subjects=len(fold.subjects))
    subjects = sum(len(fold.subjects) for fold in folds)
    amend(folder, frames=sum(fold.frames for fold in folds), subjects=subjects)


def write_run(folder, data, *, level, fold=1, **about_answers):
    write_json(folder / "scores.json", scores(data, level=level, fold=fold))
    config = {"data": {"manifest": str(data.folder / "manifest.csv"), "aligned_size": data.size}}
    write_json(folder / "config.json", {**config, "model": {"crop_size": data.size - 4}})
    predictions(data, **about_answers).save(folder)


def write_crossval(folder, data, *, name="small", level=0.6):
    write_json(folder / "crossval.json", {"format": 1, "kind": "crossval", "name": name, "folds": [1, 2, 3]})
    for fold in (1, 2, 3):
        write_run(folder / f"fold{fold}", data, level=level + (fold - 2) / 20, fold=fold, seed=fold)
    pooled = figures(data.au_ids, level=level - 0.01)
    per_fold = {"f1_macro": [level - 0.05, level, level + 0.05]}
    write_json(folder / "scores.json", {**scores(data, level=level, fold=None), "per_fold": per_fold, "pooled": pooled})


def write_ablation(folder, data, *, name="parts", level=0.5, seeds=(1, 2), folds=(1,), one_fold_form=False):
    """Write an ablation over folds, or, in `one_fold_form`, one as an earlier version left it."""
    variants = [
        {"number": number, "name": title, "folders": [f"variant{number}-seed{seed}" for seed in seeds]}
        for number, title in VARIANTS
    ]
    of = {"fold": folds[0]} if one_fold_form else {"folds": list(folds)}
    metadata = {"format": 1, "kind": "ablation", "name": name, **of, "seeds": list(seeds), "variants": variants}
    write_json(folder / "ablation.json", metadata)
    for number, _ in VARIANTS:
        for seed in seeds:
            seeded = folder / f"variant{number}-seed{seed}"
            mean = level + number / 50 + seed / 100
            for fold in folds:
                write_run(
                    seeded if one_fold_form else seeded / f"fold{fold}",
                    data,
                    level=mean,
                    fold=fold,
                    seed=10 * number + seed,
                    words=number > 2,
                    separation=number / 2,
                )
            if not one_fold_form:
                write_json(seeded / "scores.json", scores(data, level=mean, fold=None))
