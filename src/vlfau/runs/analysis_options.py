"""Options that runs of all kinds share: the model, which frames and faces are analysed, and what is said of them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, get_type_hints

from cyclopts import Group, Parameter

from vlfau.errors import ConfigError
from vlfau.inference.runtimes import Runtime
from vlfau.runs.option_values import VideoPart, as_declared, seconds
from vlfau.video.regions import Regions

if TYPE_CHECKING:
    from vlfau.inference.bundle import Bundle
    from vlfau.inference.predictor import Predictor

__all__ = ["MODEL", "OUTPUT", "VIDEOS", "AnalysisOptions", "Flag", "ModelOptions", "Texts"]

OUTPUT: Final = Parameter(group=Group("Output", sort_key=1))
VIDEOS: Final = Parameter(group=Group("Videos", sort_key=2))
MODEL: Final = Parameter(group=Group("Model and captions", sort_key=3))

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Texts = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]


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
    """Which frames and faces are analysed, what is said of them, and which columns their tables have.

    Attributes:
        every: Time between analysed frames, such as 0.2s or 200ms; every frame if omitted.
        stream: Which video stream of a file with several, from 1; the largest if omitted.
        fps: Numbered pictures per second, for inputs such as frames_%05d.png.
        region: Follow faces in this part of the picture only, as x,y,width,height in pixels; may be repeated, and faces
            never pass from one to another.
        tiles: The same for equal parts, as columns x rows, such as 2x2 for a recorded video call of four.
        identities: Say which faces of a video are the same person's, by their looks.
        smooth: Add smoothed probabilities to the native table, and find events in the centred ones.
        gaze: Also write where the eyes look, sideways.
        head_position: Also write the position of the head, in millimetres.
        landmarks: Also write landmarks: 68, or the whole mesh.
        sides: Also write the probability, state and intensity of each side of the face, for AUs with sides.
        measurements: Also measure each face: columns in the tables, rulers in annotated pictures, and lines in the
            terminal and the report.
        quality: Also write how well each face can be read (visible share, sharpness, size, light, pose), and leave the
            cells of doubtful action units, which cannot be seen well enough, empty.
        keep_doubtful: With --quality, keep the cells of doubtful action units.
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
    stream: Annotated[int | None, VIDEOS] = None
    fps: Annotated[float | None, VIDEOS] = None
    region: Annotated[Texts, VIDEOS] = ()
    tiles: Annotated[str | None, VIDEOS] = None
    identities: Annotated[Flag, VIDEOS] = False
    smooth: Annotated[Flag, VIDEOS] = False
    gaze: Annotated[Flag, OUTPUT] = False
    head_position: Annotated[Flag, OUTPUT] = False
    landmarks: Annotated[Literal["none", "68", "mesh"], OUTPUT] = "none"
    sides: Annotated[Flag, OUTPUT] = False
    measurements: Annotated[Flag, OUTPUT] = False
    quality: Annotated[Flag, OUTPUT] = False
    keep_doubtful: Annotated[Flag, OUTPUT] = False
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

    @property
    def part(self) -> VideoPart:
        """What of each video is analysed.

        Raises:
            ConfigError: A text is not a time or a region, or a number is out of range.
        """
        if self.stream is not None and self.stream < 1:
            raise ConfigError(f"--stream is {self.stream}; give the number of a video stream, from 1")
        if self.fps is not None and not 0 < self.fps < float("inf"):
            raise ConfigError(f"--fps is {self.fps:g}; give more than 0 pictures per second")
        return VideoPart(
            every_s=self.every_s,
            stream_number=self.stream,
            fps=self.fps,
            regions=Regions.parsed(self.region, self.tiles),
            identities=self.identities,
        )

    def check_analysis(self) -> None:
        """Check, before anything is read, that these options are in range and fit each other.

        Raises:
            ConfigError: They do not.
        """
        self.part  # noqa: B018 - it raises
        if self.keep_doubtful and not self.quality:
            raise ConfigError("--keep-doubtful keeps what --quality would leave empty; give both")

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
        from vlfau.video.captions import describe_for_pictures

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
