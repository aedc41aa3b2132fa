"""The options of `vlfau predict`, by what they are about."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from vlfau.inference.runtimes import Runtime

__all__ = ["KeepOptions", "ModelOptions", "VideoOptions"]

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


@Parameter(name="*", group=Group("What to keep", sort_key=1))
@dataclass(frozen=True, kw_only=True)
class KeepOptions:
    """What to keep of a run.

    Attributes:
        out: Folder for tables, annotated pictures, and for each video its events and a summary.
        table: A table to write: a .csv, .jsonl or .parquet file. May be given several times.
        format: Whose columns the tables have.
        annotate: Write each video with boxes, bars and words, too.
        report: Write a page about each video, too.
        timeline: Draw the action units of each video over time, too.
        heatmap: Draw where the model looked in pictures, for numbers such as 12 or 6,12, or for active ones.
        resume: Resume an interrupted run, or add inputs to a finished one.
        parents: Keep every folder of an input's path in the output folder, so that a/me.png and b/me.png go together.
        overwrite: Replace files in the output folder that vlfau did not write; inputs are never replaced.
    """

    out: Path | None = None
    table: Annotated[tuple[Path, ...], Parameter(negative=(), show_default=False)] = ()
    format: Literal["native", "openface", "pyfeat"] = "native"
    annotate: Flag = False
    report: Flag = False
    timeline: Flag = False
    heatmap: str | None = None
    resume: Flag = False
    parents: Flag = False
    overwrite: Flag = False


@Parameter(name="*", group=Group("Videos", sort_key=2))
@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """Which frames of videos to judge, and how.

    Attributes:
        every: Judge a frame in every so many seconds only, such as 0.2s or 200ms.
        start: Begin at this time, in seconds or as 1:23.5.
        end: End before this time.
        baseline: Measure from the person's neutral face: clip takes what is usual in each video, otherwise a picture
            or a folder of pictures of it, maybe several times; or none.
    """

    every: str | None = None
    start: str | None = None
    end: str | None = None
    baseline: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = ()


@Parameter(name="*", group=Group("Model and words", sort_key=3))
@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model judges, and what it says.

    Attributes:
        model: A bundle to use instead of the default one: its folder, or a name that vlfau models lists.
        describe: Which action units to put in words: active, every, or never; changes puts the active ones in words
            when others become active in a video, and takes the same words in between.
        beam_size: How many wordings to weigh; 1 is fastest.
        gendered: Let the description guess a gender instead of saying "this person".
        consistent: Choose words that agree with the states of the action units.
        max_faces: Keep only the largest faces.
        threads: Processor threads to use.
        runtime: What computes the model; auto takes the fastest that this machine has.
    """

    model: str | None = None
    describe: Literal["changes", "active", "every", "never"] = "changes"
    beam_size: int = 3
    gendered: Flag = False
    consistent: Flag = False
    max_faces: int | None = None
    threads: int = 1
    runtime: Runtime = "onnxruntime"
