"""`vlfau explain`: what was measured of an AU, and what would change the model's mind."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vlfau.runs.options import ModelOptions

__all__ = ["explain"]

_DEFAULTS = ModelOptions()


def explain(
    inputs: Annotated[list[Path], Parameter(name="PICTURE", negative=())],
    /,
    *,
    au: Annotated[str, Parameter(show_default=False)] = "active",
    options: ModelOptions = _DEFAULTS,
) -> int:
    """Say what was measured of an action unit, and what would change the model's mind about it.

    For every face: the measurements that the action unit moves, with the range of resting faces, and the smallest
    movement of the face that would make the model change its answer, and how much the geometry of the face and the
    branch with the heat map weigh in it.

    Args:
        inputs: Pictures.
        au: Action units such as 2 or 6,12; the active ones if omitted.
        options: The model.
    """
    from vlfau.cli.console import output_console, print_notice
    from vlfau.errors import NoFaceError
    from vlfau.files.names import printable
    from vlfau.inference.counterfactual import explain as find
    from vlfau.inference.predictor import Predictor
    from vlfau.measures.measuring import NOT_MEASURED
    from vlfau.runs.option_values import chosen_aus

    predictor = Predictor(options.model, threads=options.threads, runtime=options.runtime, describe="never")
    wanted = chosen_aus(au, predictor.au_ids, option="--au")
    if warning := predictor.bundle.info.warning:
        print_notice(warning, title="note", style="yellow")
    console = output_console()
    for path in inputs:
        result = predictor.predict(path)
        if not result:
            raise NoFaceError(f"no face found in picture {printable(path)}; use one with a larger or less covered face")
        for number, face in enumerate(result, start=1):
            console.print(f"{printable(path)}: face {number} of {len(result)}", markup=False, soft_wrap=True)
            if not face.measurements:
                console.print(f"  {NOT_MEASURED}", markup=False)
            for au_id in wanted or [each.au_id for each in face.active_aus]:
                each = face[au_id]
                state = "active" if each.state else "inactive"
                console.print(f"  AU {au_id}, {each.name}: {state} ({each.prob:.2f})", markup=False)
                for measurement in each.measurements:
                    console.print(f"    {measurement.text}", markup=False, soft_wrap=True)
                found = find(predictor, face, au_id)
                for line in filter(None, (found.text, found.basis)):
                    console.print(f"    {line}", markup=False, soft_wrap=True)
    return 0
