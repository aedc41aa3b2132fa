"""The data card (README.md) of a data set."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vlfau.facs import action_unit
from vlfau.files.atomic import replacing
from vlfau.synthetic.presets import Preset
from vlfau.synthetic.settings import DatasetSettings

__all__ = ["write_card"]

_TEXT = """# Synthetic FACS faces, preset {preset}

Rendered by `vlfau synth`; no person was photographed. {frames} frames of {subjects} subjects ({women} women,
{men} men), {clips} clips per subject, {size} x {size} pixels, seed {seed}.

* `manifest.csv` has one row per frame: labels, exact intensities left and right, head pose, light, camera, and the
  positions of some landmarks. Left and right are the subject's own. Angles are in degrees, the distance in decimetres,
  landmarks in pixels; `vlfau.facs` defines the signs.
* An AU counts as present from intensity {occurs_at:g} of 5 (A = 1 to E = 5).
* `fold` is the test fold of the subject. Folds are subject-exclusive and balanced by gender.
{pairs}
## Rates

Percentage of frames in which an AU is present.

| AU | name | target | in this data set |
|---|---|---|---|
{rates}

## Limits

* The author set the appearance of the AUs by eye; no certified FACS coder has reviewed it.
* The subjects are mixtures of MakeHuman's shapes. They represent no real person and support no claims about groups of
  people.
* A score on these faces says little about the score on real faces; never show the two together without saying so.

## Licence

The frames are CC0 1.0. The heads come from MakeHuman (CC0) and from the face units by Mika Suominen (CC0).
"""

_REGIONS = """* `regions/` has one mask for every AU that is present in a frame: 255 where the skin moves most, 0
  where it does not move. What the skin uncovers belongs to it, such as the eye under a raised lid. Hair and glasses
  are excluded; hands and objects in front of the face are not.
"""

_PAIRS = """* `pairs.csv` has two images per row that differ in one AU only; subject, scene, camera and noise are
  the same.
"""


def write_card(folder: Path, settings: DatasetSettings, preset: Preset, rows: Sequence[Mapping[str, str]]) -> None:
    """Write the data card, README.md, into a data set's folder.

    Raises:
        InputError: The file cannot be written.
    """
    genders = {row["subject"]: row["gender"] for row in rows}
    lines = []
    for au_id in preset.au_ids:
        rate = sum(row[f"AU{au_id}"] == "1" for row in rows) / len(rows)
        target = f"{100 * preset.rates[au_id]:.1f}" if not preset.joint_share else ""
        lines.append(f"| {au_id} | {action_unit(au_id).name} | {target} | {100 * rate:.1f} |")
    text = _TEXT.format(
        preset=settings.preset,
        frames=len(rows),
        subjects=len(genders),
        women=sum(gender == "F" for gender in genders.values()),
        men=sum(gender == "M" for gender in genders.values()),
        clips=settings.clips,
        size=settings.size,
        seed=settings.seed,
        occurs_at=preset.occurs_at,
        pairs=(_PAIRS if settings.pairs else "") + (_REGIONS if settings.regions else ""),
        rates="\n".join(lines),
    )
    with replacing(folder / "README.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
