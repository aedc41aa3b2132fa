"""`vlfau predict`: pictures, videos and cameras in, action units and words out."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from vlfau.cli.predict_options import KeepOptions, ModelOptions, VideoOptions
from vlfau.errors import ConfigError

if TYPE_CHECKING:
    from vlfau.cli.keeping import Keeper
    from vlfau.cli.screen import Screen
    from vlfau.cli.tally import Tally
    from vlfau.cli.unfinished import Settings
    from vlfau.inference.bundle import Bundle
    from vlfau.inference.predictor import Predictor

__all__ = ["predict"]

_DEFAULT_KEEP, _DEFAULT_VIDEO, _DEFAULT_MODEL = KeepOptions(), VideoOptions(), ModelOptions()


def predict(
    inputs: Annotated[list[Path], Parameter(name="INPUT", negative=())],
    /,
    *,
    keep: KeepOptions = _DEFAULT_KEEP,
    video: VideoOptions = _DEFAULT_VIDEO,
    model: ModelOptions = _DEFAULT_MODEL,
    quiet: Annotated[bool, Parameter(alias="-q", negative=(), show_default=False)] = False,
) -> int:
    """Say which action units act on the faces of pictures and videos, in numbers and in words.

    Without --out and --table the results are only printed. An input that cannot be read, or without a face, is
    reported and the others are still processed; the exit code is then 2.

    Args:
        inputs: Pictures, videos, folders of them, and cameras such as camera:0, which Ctrl-C ends.
        keep: What to keep.
        video: Which frames of videos to judge.
        model: Which model judges.
        quiet: Print no results.
    """
    from vlfau.cli.interrupts import termination_as_interrupt
    from vlfau.cli.judging import Judging
    from vlfau.cli.keeping import Keeper
    from vlfau.cli.neutral import neutral_faces
    from vlfau.cli.picture_files import heatmap_aus
    from vlfau.cli.screen import Screen
    from vlfau.cli.times import part
    from vlfau.cli.video_files import check_extras
    from vlfau.inference.bundle import load_bundle
    from vlfau.inference.runtimes import chosen_runtime

    wanted = part(video.every, video.start, video.end)
    _check(inputs, keep, video)
    check_extras(keep)
    with termination_as_interrupt(), Screen(quiet=quiet) as screen:
        bundle = load_bundle(model.model)
        runtime = chosen_runtime(bundle, model.runtime, threads=model.threads)
        if runtime != model.runtime:
            screen.notice(f"{runtime} is the fastest runtime for this model here")
        model = replace(model, runtime=runtime)
        predictor = _predictor(bundle, model)
        info = bundle.info
        heatmaps = None if keep.heatmap is None else heatmap_aus(keep.heatmap, info.au_ids)
        baseline = neutral_faces(video.baseline, predictor)
        keeper = Keeper(keep, info, settings=_settings(keep, video, model), heatmaps=heatmaps)
        if info.warning:
            screen.notice(info.warning)
        if model.consistent and info.words_warning:
            screen.notice(info.words_warning)
        try:
            with keeper:
                if keeper.begins_anew:
                    screen.notice("found an interrupted run; starting over (use --resume to continue it)")
                judging = Judging(
                    predictor, screen=screen, keeper=keeper, part=wanted, describe=model.describe, baseline=baseline
                )
                judging.run(inputs)
        except KeyboardInterrupt:
            if keeper.can_resume:
                screen.notice("interrupted; run the same command with --resume to continue")
            raise
        _conclude(screen, keeper, judging.tally)
        failed = judging.tally.errors or (keeper.errors is not None and len(keeper.errors))
    return 2 if failed else 0


def _check(inputs: list[Path], keep: KeepOptions, video: VideoOptions) -> None:
    from vlfau.media.camera import camera_number

    for name in ("annotate", "report", "timeline", "heatmap"):
        if getattr(keep, name) and keep.out is None:
            raise ConfigError(f"--{name} writes files; say with --out in which folder")
    if keep.resume and keep.out is None and not keep.table:
        raise ConfigError("--resume goes on with tables; name them with --out or --table, as before")
    cameras = [str(path) for path in inputs if camera_number(str(path)) is not None]
    if cameras and keep.resume:
        raise ConfigError(f"what {cameras[0]} saw does not come again, so --resume cannot go on with it; begin anew")
    if cameras and "clip" in video.baseline:
        raise ConfigError(
            f"--baseline clip looks at a video twice, which {cameras[0]} cannot show; give pictures of a neutral face"
        )


def _predictor(bundle: "Bundle", model: ModelOptions) -> "Predictor":
    from vlfau.inference.predictor import Predictor
    from vlfau.video.stream import for_pictures

    return Predictor(
        bundle,
        threads=model.threads,
        describe=for_pictures(model.describe),
        beam_size=model.beam_size,
        gendered=model.gendered,
        consistent=model.consistent,
        max_faces=model.max_faces,
        runtime=model.runtime,
    )


def _settings(keep: KeepOptions, video: VideoOptions, model: ModelOptions) -> "Settings":
    """Return everything on which the files depend, but for the inputs and the model, which the tables know."""
    elsewhere = {"out", "table", "resume", "overwrite", "model", "threads"}
    settings = asdict(keep) | asdict(video) | asdict(model)
    settings["baseline"] = list(video.baseline)
    return {name.replace("_", "-"): value for name, value in settings.items() if name not in elsewhere}


def _conclude(screen: "Screen", keeper: "Keeper", tally: "Tally") -> None:
    screen.print(tally.line())
    for place in keeper.places:
        screen.print(f"results: {place}")
