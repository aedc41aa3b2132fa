"""`vlfau truth`: faces and texts on them by anyone in, how true the texts are out."""

from pathlib import Path

__all__ = ["truth"]


def truth(faces: Path, texts: Path, /, *, out: Path | None = None, seed: int = 0) -> int:
    """Score texts on faces by any explainer: a person, a language model, or vlfau itself.

    Reads from every text which AUs it says to act or not, to which degree and on which side, and compares this with the
    labels, with what the explainer itself decided, and with the rest of the text. Intervals are 95 %, from a bootstrap
    over subjects.

    Args:
        faces: The manifest of the faces, with pairs.csv beside it if they were drawn with --pairs; or a folder of
            pictures, which has no labels.
        texts: One JSON object per line: image and text, optionally AU12_text, AU12_state, AU12_intensity and AU12_side
            for any AU. The results.jsonl of `vlfau predict` has this form.
        out: JSON file for the scores.
        seed: Random seed of the bootstrap.
    """
    import json
    from dataclasses import asdict

    from rich import box
    from rich.table import Table
    from rich.text import Text

    from vlfau.cli.console import output_console, print_notice
    from vlfau.evaluation.truth import MEASURES, truth_scores
    from vlfau.evaluation.truth_texts import read_faces, read_texts
    from vlfau.files.atomic import replacing

    known = read_faces(faces)
    found, others = read_texts(texts, known)
    scores = truth_scores(known, found, seed=seed)
    console = output_console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("Share of", "", "95 %", "n"):
        table.add_column(Text(head), justify="left" if head == "Share of" else "right")
    for name, share in scores["shares"].items():
        if share.value is not None:
            interval = "" if share.interval is None else "{:.3f} to {:.3f}".format(*share.interval)
            table.add_row(Text(MEASURES[name]), f"{share.value:.3f}", interval, f"{share.count:,}")
    console.print(table)
    console.print(
        f"{scores['texts']:,} texts on {len(found):,} of {scores['faces']:,} faces; {others:,} lines on other faces",
        markup=False,
    )
    for key, meaning in (("not_labelled", "without a label"), ("not_in_catalogue", "that vlfau does not know")):
        if scores[key]:
            listed = ", ".join(f"AU{au_id} ({count:,})" for au_id, count in scores[key].items())
            console.print(f"claims about AUs {meaning}: {listed}", markup=False, soft_wrap=True)
    readable = scores["shares"]["readable"]
    if readable.value is None or readable.value < _FEW:
        print_notice(
            "most texts claim nothing about an AU; only English is read, and feelings are no claims",
            title="note",
            style="yellow",
        )
    if out is not None:
        document = scores | {"shares": {name: asdict(share) for name, share in scores["shares"].items()}}
        with replacing(out) as temporary:
            temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")
        console.print(f"scores: {out}", markup=False)
    return 0


_FEW = 0.5
"""Below this share of readable texts, the command says what it can read."""
