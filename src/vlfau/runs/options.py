"""Every option of a run, declared and explained once.

`vlfau predict` and `vlfau.run` take `PredictOptions`, `vlfau batch` takes `ArchiveOptions`, and `vlfau app` takes
`ModelOptions`. The command line reads types, defaults and help from these classes; nothing heavy is imported here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, get_type_hints

from cyclopts import Group, Parameter

from vlfau.errors import ConfigError
from vlfau.files.names import check_is_local
from vlfau.inference.runtimes import Runtime
from vlfau.runs.option_values import VideoPart, as_declared, chosen_aus, seconds
from vlfau.video.regions import Regions

if TYPE_CHECKING:
    from vlfau.inference.bundle import Bundle
    from vlfau.inference.predictor import Predictor

__all__ = ["AnalysisOptions", "ArchiveOptions", "ModelOptions", "PredictOptions"]

_NEWER: Final = "gaze head_position crops anonymise elan sides measurements quality keep_doubtful"
"""Options that the records of earlier versions lack."""
OUTPUT: Final = Parameter(group=Group("Output", sort_key=1))
VIDEOS: Final = Parameter(group=Group("Videos", sort_key=2))
MODEL: Final = Parameter(group=Group("Model and captions", sort_key=3))

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Texts = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
Paths = Annotated[tuple[Path, ...], Parameter(negative=(), show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """The model, and how it is run.

    Attributes:
        model: Folder of a bundle or a checkpoint, or a name that vlfau models lists; the default model if omitted.
        threads: Number of CPU threads.
        runtime: Inference runtime; auto selects the fastest on this machine.
    """

    model: Annotated[str | None, MODEL] = None
    threads: Annotated[int, MODEL] = 1
    runtime: Annotated[Runtime, MODEL] = "onnxruntime"

    def __post_init__(self) -> None:
        """Bring what a Python caller gave to the declared types.

        Raises:
            ConfigError: A value cannot stand for one of its option's type.
        """
        for name, declared in get_type_hints(type(self)).items():
            object.__setattr__(self, name, as_declared(name, getattr(self, name), declared))

    def with_known_runtime(self, bundle: "Bundle") -> Self:
        """Replace `auto` by the fastest runtime on this machine.

        Raises:
            ConfigError: There is no such runtime.
        """
        from vlfau.inference.runtimes import chosen_runtime

        return replace(self, runtime=chosen_runtime(bundle, self.runtime, threads=self.threads))


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AnalysisOptions(ModelOptions):
    """Which frames and faces are analysed, and which captions they get.

    Attributes:
        every: Time between analysed frames, such as 0.2s or 200ms; every frame if omitted.
        describe: Which action units get captions: active, every, or never. In a video, changes writes captions when the
            active ones, their degrees or sides change, and repeats them in between.
        beam_size: Beam size of the search for free captions; 1 is fastest.
        gendered: Let descriptions guess a gender instead of saying "this person".
        consistent: Whether captions must agree with the predicted states, degrees and sides; on the command line,
            --free-words switches it off.
        free_words: Allow captions that contradict the predicted states, degrees and sides.
        max_faces: Maximum number of faces per picture or frame; the largest are kept.
    """

    every: Annotated[str | None, VIDEOS] = None
    describe: Annotated[Literal["changes", "active", "every", "never"], MODEL] = "changes"
    beam_size: Annotated[int, MODEL] = 3
    gendered: Annotated[Flag, MODEL] = False
    consistent: Annotated[bool, Parameter(parse=False)] = True
    free_words: Annotated[Flag, MODEL] = False
    max_faces: Annotated[int | None, MODEL] = None

    def __post_init__(self) -> None:
        """Convert the values to the declared types; only `consistent` says whether captions are free."""
        super().__post_init__()
        if self.free_words:  # From here on only `consistent` counts, so that `replace` can change it.
            object.__setattr__(self, "consistent", False)
            object.__setattr__(self, "free_words", False)

    @property
    def wants_words(self) -> bool:
        """Whether any face gets captions."""
        return self.describe != "never"

    @property
    def wants_gaze(self) -> bool:
        """Whether the irises are read."""
        return False

    @property
    def every_s(self) -> float | None:
        """The time between analysed frames, in seconds; None analyses all frames.

        Raises:
            ConfigError: It is not a time, or not above 0 s.
        """
        every_s = None if self.every is None else seconds(self.every, "--every")
        if every_s is not None and every_s <= 0:
            raise ConfigError(f"--every is {self.every}; give more than 0 s, or leave it out to analyse all frames")
        return every_s

    def predictor(self, bundle: "Bundle | None" = None) -> "Predictor":
        """Open the model.

        Args:
            bundle: The bundle of `model`, if already loaded.

        Raises:
            BundleError: There is no such model, or it is damaged.
            ConfigError: An option is out of range.
            MissingExtraError: The runtime is not installed.
        """
        from vlfau.inference.predictor import Predictor
        from vlfau.video.stream import describe_for_pictures

        return Predictor(
            bundle or self.model,
            threads=self.threads,
            describe=describe_for_pictures(self.describe),
            beam_size=self.beam_size,
            gendered=self.gendered,
            consistent=self.consistent,
            max_faces=self.max_faces,
            gaze=self.wants_gaze,
            runtime=self.runtime,
        )


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
        return {"every_s": self.every_s, **{name: getattr(self, name) for name in names}}


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
        gaze: Also write where the eyes look.
        head_position: Also write the position of the head, in millimetres.
        landmarks: Also write landmarks: 68, or the whole mesh.
        crops: Also write the aligned faces as pictures.
        anonymise: Draw the mesh in place of the face in annotated pictures and videos, reports and heat maps.
        annotate: Also write annotated videos, with boxes, bars and captions.
        report: Also write an HTML report about each video.
        elan: Also write the events of each video for ELAN (.eaf), with a tier per face and action unit.
        timeline: Also plot the action units of each video over time.
        heatmap: Also draw attention heat maps of pictures, for action units such as 12 or 6,12, or for the active ones
            ("active").
        sides: Also write the probability, state and intensity of each side of the face, for AUs with sides.
        measurements: Also measure each face: columns in the tables, rulers in annotated pictures, and lines in the
            terminal and the report.
        quality: Also say how well each face can be read (visible share, sharpness, size, light, pose), and leave the
            cells of action units that cannot be seen well enough empty.
        keep_doubtful: With --quality, keep their cells; the column doubtful_aus lists them.
        live: Also send each result at once: "-" writes JSON Lines to standard output; lsl, osc, zmq or ws, or an
            address such as ws://127.0.0.1:8765, sends it to other programs; may be repeated.
        resume: Resume an interrupted run, or add inputs to a finished one.
        parents: Keep the whole path of each input in the output folder, so that a/me.png and b/me.png do not collide.
        overwrite: Replace files in the output folder that vlfau did not write; inputs are never replaced.
        network: Allow inputs that are addresses of network cameras, such as rtsp://host/stream.
        start: Start at this time, in seconds or as 1:23.5, on the clock of the file as a player shows it.
        end: Stop before this time.
        stream: Which video stream of a file with several, from 1; the largest if omitted.
        fps: Numbered pictures per second, for inputs such as frames_%05d.png.
        region: Follow faces in this part of the picture only, as x,y,width,height in pixels; may be repeated, and faces
            never pass from one to another.
        tiles: The same for equal parts, as columns x rows, such as 2x2 for a recorded video call of four.
        identities: Say which faces of a video are the same person's, by their looks.
        smooth: Add smoothed probabilities to the native table, and find events in the centred ones.
        baseline: Correct for the person's neutral face: pictures of it or a folder of them (may be repeated), "clip" to
            estimate it from each video, or "none".
        face: Which face of a baseline picture with several is the person's, counted from the largest.
    """

    out: Annotated[Path | None, OUTPUT] = None
    table: Annotated[Paths, OUTPUT] = ()
    format: Annotated[Literal["native", "openface", "pyfeat", "pyfeat2"], OUTPUT] = "native"
    gaze: Annotated[Flag, OUTPUT] = False
    head_position: Annotated[Flag, OUTPUT] = False
    landmarks: Annotated[Literal["none", "68", "mesh"], OUTPUT] = "none"
    crops: Annotated[Flag, OUTPUT] = False
    anonymise: Annotated[Flag, OUTPUT] = False
    annotate: Annotated[Flag, OUTPUT] = False
    report: Annotated[Flag, OUTPUT] = False
    elan: Annotated[Flag, OUTPUT] = False
    timeline: Annotated[Flag, OUTPUT] = False
    heatmap: Annotated[str | None, OUTPUT] = None
    sides: Annotated[Flag, OUTPUT] = False
    measurements: Annotated[Flag, OUTPUT] = False
    quality: Annotated[Flag, OUTPUT] = False
    keep_doubtful: Annotated[Flag, OUTPUT] = False
    live: Annotated[Texts, OUTPUT, Parameter(allow_leading_hyphen=True)] = ()
    resume: Annotated[Flag, OUTPUT] = False
    parents: Annotated[Flag, OUTPUT] = False
    overwrite: Annotated[Flag, OUTPUT] = False
    network: Annotated[Flag, VIDEOS] = False
    start: Annotated[str | None, VIDEOS] = None
    end: Annotated[str | None, VIDEOS] = None
    stream: Annotated[int | None, VIDEOS] = None
    fps: Annotated[float | None, VIDEOS] = None
    region: Annotated[Texts, VIDEOS] = ()
    tiles: Annotated[str | None, VIDEOS] = None
    identities: Annotated[Flag, VIDEOS] = False
    smooth: Annotated[Flag, VIDEOS] = False
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
        every_s = self.every_s
        start_s = 0.0 if self.start is None else seconds(self.start, "--start")
        end_s = None if self.end is None else seconds(self.end, "--end")
        if end_s is not None and end_s <= start_s:
            raise ConfigError(
                f"--end is {self.end}, which is not after the start ({self.start or 0}); give a later end"
            )
        if self.stream is not None and self.stream < 1:
            raise ConfigError(f"--stream is {self.stream}; give the number of a video stream, from 1")
        if self.fps is not None and not 0 < self.fps < float("inf"):
            raise ConfigError(f"--fps is {self.fps:g}; give more than 0 pictures per second")
        if self.face is not None and self.face < 1:
            raise ConfigError(f"--face is {self.face}; give the number of a face, from 1, the largest")
        regions = Regions.parsed(self.region, self.tiles)
        return VideoPart(every_s, start_s, end_s, self.stream, self.fps, regions, self.identities)

    @property
    def wants_gaze(self) -> bool:
        """Whether the irises are read."""
        return self.gaze

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of further columns of the tables."""
        landmarks = {"none": (), "68": ("landmarks",), "mesh": ("mesh",)}[self.landmarks]
        chosen = {
            "sides": self.sides,
            "smoothed": self.smooth,
            "quality": self.quality,
            "measurements": self.measurements,
            "gaze": self.gaze,
            "head": self.head_position,
        }
        return (*(name for name, is_wanted in chosen.items() if is_wanted), *landmarks)

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
        values = asdict(self) | {"baseline": list(self.baseline), "region": list(self.region)}
        # Runs of earlier versions have no record of these: not given counts as not recorded.
        newer = {name: values[name] or None for name in _NEWER.split()}
        newer["landmarks"] = None if self.landmarks == "none" else self.landmarks
        recorded = {name: values[name] for name in names} | newer
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

        self.part  # noqa: B018 - it raises
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
        if self.keep_doubtful and not self.quality:
            raise ConfigError("--keep-doubtful keeps what --quality would leave empty; give both")
        if lacking := [name for name in self.groups if name not in LAYOUTS[self.format].groups]:
            raise ConfigError(
                f"--format {self.format} has no columns for {', '.join(lacking)}; choose another format, such as native"
            )
        if self.crops and self.anonymise:
            raise ConfigError("--crops writes pictures of faces, which --anonymise is to avoid; leave out one of them")
        if self.resume and self.out is None and not self.table:
            raise ConfigError("--resume continues tables; name them with --out or --table, as before")
