"""Every option of a run, declared and explained once.

`vlfau predict` and `vlfau.run` take `PredictOptions`, `vlfau batch` takes `ArchiveOptions`, and `vlfau app` takes
`ModelOptions`. The command line reads types, defaults and help from these classes; nothing heavy is imported here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from cyclopts import Parameter

from vlfau.errors import ConfigError
from vlfau.files.names import check_is_local, printable
from vlfau.runs.analysis_options import MODEL, OUTPUT, VIDEOS, AnalysisOptions, Flag, ModelOptions, Texts
from vlfau.runs.option_values import VideoPart, chosen_aus, seconds

__all__ = ["AnalysisOptions", "ArchiveOptions", "ModelOptions", "PredictOptions"]

_COLUMNS: Final = ("sides", "measurements", "quality", "keep_doubtful", "landmarks")
_NEWER: Final = ("gaze", "head_position", "crops", "anonymise", "elan", *_COLUMNS)
"""Options that the records of earlier versions lack."""
Paths = Annotated[tuple[Path, ...], Parameter(negative=(), show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ArchiveOptions(AnalysisOptions):
    """How the files of an archive are analysed: by every worker alike, on one thread, by default without captions."""

    describe: Annotated[Literal["changes", "active", "every", "never"], MODEL] = "never"
    threads: Annotated[int, Parameter(parse=False)] = 1

    def for_workers(self) -> Self:
        """Return options that mean the same in another folder and on another machine.

        A model's folder gets its whole path, and `auto` becomes the runtime that is the fastest here.

        Raises:
            BundleError: There is no such model, or it is damaged.
            ConfigError: There is no such runtime.
        """
        from vlfau.inference.bundle import load_bundle

        known = self.with_known_runtime(load_bundle(self.model))
        is_folder = self.model is not None and Path(self.model).exists()
        return replace(known, model=str(Path(self.model).absolute()) if is_folder and self.model else self.model)

    def record(self) -> dict[str, Any]:
        """Return every option that affects results, except the model."""
        names = ("describe", "beam_size", "gendered", "consistent", "max_faces", "runtime")
        newer = (*("stream", "fps", "region", "tiles", "identities", "smooth", "gaze", "head_position"), *_COLUMNS)
        return {
            "every_s": self.every_s,
            **{name: getattr(self, name) for name in names},
            **{name: value for name, value in _unless_default(self, newer).items() if value is not None},
        }


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class PredictOptions(AnalysisOptions):
    """The options of a run: what it does with its inputs, and what it writes.

    In Python a path may be text, a time a number of seconds, an action unit a number, and one table or baseline need
    not be in a list.

    Attributes:
        out: Folder for tables, annotated pictures, and the events and summary of each video.
        table: A table to write: a .csv, .jsonl, .parquet, .arrows or .xlsx file; may be repeated.
        format: Columns of the tables: native, or those of OpenFace 2, Py-Feat 0.6 (pyfeat) or Py-Feat 2 (pyfeat2).
        crops: Also write the aligned faces as pictures.
        anonymise: Draw the mesh in place of the face in annotated pictures and videos, reports and heat maps.
        annotate: Also write annotated videos, with boxes, bars and captions.
        report: Also write an HTML report about each video.
        elan: Also write the events of each video for ELAN (.eaf), with a tier per face and action unit.
        timeline: Also plot the action units of each video over time.
        heatmap: Also draw attention heat maps of pictures, for action units such as 12 or 6,12, or for the active ones
            ("active").
        live: Also send each result at once: "-" writes JSON Lines to standard output; lsl, osc, zmq or ws, or an
            address such as ws://127.0.0.1:8765, sends it to other programs; may be repeated.
        resume: Resume an interrupted run, or add inputs to a finished one.
        parents: Keep the whole path of each input in the output folder, so that a/me.png and b/me.png do not collide.
        overwrite: Replace files in the output folder that vlfau did not write; inputs are never replaced.
        network: Allow inputs that are addresses of network cameras, such as rtsp://host/stream.
        start: Start at this time, in seconds or as 1:23.5, on the clock of the file as a player shows it.
        end: Stop before this time.
        baseline: Correct for the person's neutral face: pictures of it or a folder of them (may be repeated), "clip" to
            estimate it from each video, or "none".
        face: Which face of a baseline picture with several is the person's, counted from the largest.
    """

    out: Annotated[Path | None, OUTPUT] = None
    table: Annotated[Paths, OUTPUT] = ()
    format: Annotated[Literal["native", "openface", "pyfeat", "pyfeat2"], OUTPUT] = "native"
    crops: Annotated[Flag, OUTPUT] = False
    anonymise: Annotated[Flag, OUTPUT] = False
    annotate: Annotated[Flag, OUTPUT] = False
    report: Annotated[Flag, OUTPUT] = False
    elan: Annotated[Flag, OUTPUT] = False
    timeline: Annotated[Flag, OUTPUT] = False
    heatmap: Annotated[str | None, OUTPUT] = None
    live: Annotated[Texts, OUTPUT, Parameter(allow_leading_hyphen=True)] = ()
    resume: Annotated[Flag, OUTPUT] = False
    parents: Annotated[Flag, OUTPUT] = False
    overwrite: Annotated[Flag, OUTPUT] = False
    network: Annotated[Flag, VIDEOS] = False
    start: Annotated[str | None, VIDEOS] = None
    end: Annotated[str | None, VIDEOS] = None
    baseline: Annotated[Texts, VIDEOS] = ()
    face: Annotated[int | None, VIDEOS] = None

    @classmethod
    def of(cls, options: Self | None, changes: Mapping[str, Any]) -> Self:
        """Return options with some of them changed.

        Args:
            options: The options to change; None takes the defaults.
            changes: New values by name.

        Raises:
            ConfigError: There is no option of that name, or a value has the wrong type.
        """
        if options is not None and not isinstance(options, cls):
            raise ConfigError(f"options is {options!r}; give {cls.__name__}, or options by name, such as every=0.2")
        known = [field.name for field in fields(cls)]
        if unknown := sorted(changes.keys() - set(known)):
            raise ConfigError(f"there is no option {', '.join(unknown)}; choose among {', '.join(known)}")
        return replace(options or cls(), **changes)

    @property
    def part(self) -> VideoPart:
        """What of each video is analysed.

        Raises:
            ConfigError: A text is not a time, the part would be empty, or a number is out of range.
        """
        start_s = 0.0 if self.start is None else seconds(self.start, "--start")
        end_s = None if self.end is None else seconds(self.end, "--end")
        if end_s is not None and end_s <= start_s:
            raise ConfigError(
                f"--end is {self.end}, which is not after the start ({self.start or 0}); give a later end"
            )
        if self.face is not None and self.face < 1:
            raise ConfigError(f"--face is {self.face}; give the number of a face, from 1, the largest")
        return replace(super().part, start_s=start_s, end_s=end_s)

    def heatmap_aus(self, au_ids: Sequence[int]) -> tuple[int, ...] | None:
        """Return the AUs to draw as heat maps: an empty tuple for the active ones, None for no heat maps.

        Args:
            au_ids: Those that the model knows.

        Raises:
            ConfigError: `heatmap` is not a list of AUs, or the model does not know one.
        """
        return None if self.heatmap is None else chosen_aus(self.heatmap, au_ids, option="--heatmap")

    def record(self) -> dict[str, Any]:
        """Return every option that affects the files; inputs and model are recorded in the tables."""
        names = (
            *("format", "annotate", "report", "timeline", "heatmap", "parents", "every", "start", "end", "baseline"),
            *("stream", "fps", "region", "tiles", "identities", "smooth", "face"),
            *("describe", "beam_size", "gendered", "consistent", "max_faces", "runtime"),
        )
        values = asdict(self) | {"baseline": list(map(printable, self.baseline)), "region": list(self.region)}
        for name in ("every", "start", "end"):  # 200ms and 0.2s are the same time.
            if values[name] is not None:
                values[name] = f"{seconds(values[name], f'--{name}'):.9g}s"
        recorded = {name: values[name] for name in names} | _unless_default(self, _NEWER)
        return {name.replace("_", "-"): value for name, value in recorded.items()}

    def check(self, inputs: Sequence[Path]) -> None:
        """Check, before anything is read or written, that the options fit each other and the inputs.

        Raises:
            ConfigError: They do not.
            OutputError: An output is a web address.
            MissingExtraError: The plotting packages are not installed.
        """
        from vlfau.media.camera import is_live
        from vlfau.runs.live import Destination

        self.check_analysis()
        self._check_outputs()
        for destination in self.live:
            Destination.parse(destination)
        cameras = [str(path) for path in inputs if is_live(str(path))]
        if cameras and self.resume:
            raise ConfigError(f"{cameras[0]} cannot be resumed; start over without --resume")
        if cameras and "clip" in self.baseline:
            raise ConfigError(
                f"--baseline clip reads a video twice, so it cannot be used with {cameras[0]}; give pictures of a "
                "neutral face"
            )
        if self.report:
            import vlfau.drawing.report
        if self.timeline:
            import vlfau.drawing.timeline  # noqa: F401

    def _check_outputs(self) -> None:
        from vlfau.tables.columns import LAYOUTS

        for path in (*self.table, *([] if self.out is None else [self.out])):
            check_is_local(path)
        if nameless := [path for path in self.table if not path.name]:
            raise ConfigError(
                f"--table is {str(nameless[0])!r}, which names no file; name a .csv, .jsonl, .parquet, .arrows or "
                ".xlsx file"
            )
        for name in ("annotate", "report", "elan", "timeline", "heatmap", "crops"):
            if getattr(self, name) and self.out is None:
                raise ConfigError(f"--{name} writes files; name a folder with --out")
        if lacking := [name for name in self.groups if name not in LAYOUTS[self.format].groups]:
            raise ConfigError(
                f"--format {self.format} has no columns for {', '.join(lacking)}; choose another format, such as native"
            )
        if self.crops and self.anonymise:
            raise ConfigError("--crops writes pictures of faces, which --anonymise is to avoid; leave out one of them")
        if self.resume and self.out is None and not self.table:
            raise ConfigError("--resume continues tables; name them with --out or --table, as before")


def _unless_default(options: AnalysisOptions, names: Sequence[str]) -> dict[str, Any]:
    """Return options that earlier versions did not record: None stands for the default, as if not recorded."""
    defaults = type(options)()
    given = {name: getattr(options, name) for name in names}
    return {name: None if value == getattr(defaults, name) else value for name, value in given.items()}
