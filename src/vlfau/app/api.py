"""The HTTP interface for programs: `/predict_picture` and `/predict_video`; see docs/app.md."""

from typing import Any, get_args

import gradio as gr

from vlfau._version import version
from vlfau.app.predictions import VideoAnswer, answer_video
from vlfau.app.result_view import PICTURES
from vlfau.app.site import Site
from vlfau.app.uploads import PublicError, for_visitors, received
from vlfau.app.video_tab import VIDEOS
from vlfau.errors import ConfigError
from vlfau.inference.captioner import Describe
from vlfau.video.summary import summary

__all__ = ["FORMAT", "add_api"]

FORMAT = 1
"""Version of the answer format; increased by incompatible changes."""


def add_api(site: Site) -> None:
    """Add the endpoints to the page under construction, without visible components."""
    picture = gr.Image(label="picture", type="filepath", image_mode=None, visible=False)
    video = gr.Video(label="video", visible=False)
    consistent = gr.Checkbox(True, label="consistent", visible=False)
    describe = gr.Radio(list(get_args(Describe)), value="active", label="describe", visible=False)
    every_s = gr.Number(0.1, label="every_s", visible=False)
    annotate = gr.Checkbox(False, label="annotate", visible=False)
    answer = gr.JSON(label="answer", visible=False)
    files = gr.File(label="files", file_count="multiple", visible=False)

    def predict_picture(picture: Any, consistent: bool = True, describe: str = "active") -> dict[str, Any]:
        """Analyse the faces of a picture."""
        try:
            with for_visitors():
                if describe not in get_args(Describe):
                    raise ConfigError(f"describe is {describe!r}; give one of {', '.join(get_args(Describe))}")
                upload = received(picture, site.folder)
            with for_visitors(upload):
                _, result = site.predictor.picture(upload, consistent=bool(consistent), describe=describe)  # type: ignore[arg-type]
        except PublicError as error:
            raise gr.Error(str(error), print_exception=False) from None
        return {**_head(site, upload.name), "faces": [face.to_dict() for face in result.faces]}

    def predict_video(
        video: Any,
        every_s: float = 0.1,
        consistent: bool = True,
        annotate: bool = False,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - Gradio looks for it there
    ) -> tuple[dict[str, Any], list[str]]:
        """Analyse the faces of a video, frame by frame."""
        try:
            with for_visitors():
                if not isinstance(every_s, int | float):
                    raise ConfigError(f"every_s is {every_s!r}; give a number of seconds")
            found = answer_video(
                site,
                video,
                every_s=every_s,
                consistent=bool(consistent),
                annotate=bool(annotate),
                progress=progress,
            )
        except PublicError as error:
            raise gr.Error(str(error), print_exception=False) from None
        tables = found.tables
        paths = [tables[".csv"], tables[".jsonl"], found.files[".events.csv"], found.files[".report.html"]]
        if annotate:
            paths.append(found.files[".vlfau.mp4"])
        return _video_document(site, found), [str(path) for path in paths]

    gr.Button(visible=False).click(
        predict_picture,
        [picture, consistent, describe],
        answer,
        api_name="predict_picture",
        preprocess=False,
        concurrency_limit=site.limits.pictures_at_once,
        concurrency_id=PICTURES,
    )
    gr.Button(visible=False).click(
        predict_video,
        [video, every_s, consistent, annotate],
        [answer, files],
        api_name="predict_video",
        preprocess=False,
        concurrency_limit=site.limits.videos_at_once,
        concurrency_id=VIDEOS,
    )


def _head(site: Site, file: str) -> dict[str, Any]:
    return {"format": FORMAT, "vlfau": version(), "model": site.model.identity(), "file": file}


def _video_document(site: Site, video: VideoAnswer) -> dict[str, Any]:
    return {
        **_head(site, video.name),
        "duration_s": round(video.duration_s, 3),
        "frames": video.frames,
        "complete": video.broken is None,
        "summary": summary(
            video.tracks,
            video.events,
            duration_s=video.duration_s,
            frames=video.frames,
            descriptions=site.model.descriptions,
        ),
        "faces": [
            {
                "face_id": track.face_id,
                "start_s": round(float(track.time_s[0]), 3),
                "end_s": round(float(track.time_s[-1]), 3),
                "active_share": {
                    f"AU{au_id}": round(share, 4)
                    for au_id, share in zip(track.au_ids, track.active_share.tolist(), strict=True)
                },
            }
            for track in video.tracks
        ],
        "events": [
            {
                "face_id": event.face_id,
                "au_id": event.au_id,
                "onset_s": round(event.onset_s, 3),
                "apex_s": round(event.apex_s, 3),
                "offset_s": round(event.offset_s, 3),
                "peak_prob": round(event.peak_prob, 4),
                "peak_intensity": None if event.peak_intensity is None else round(event.peak_intensity, 2),
                "open_start": event.open_start,
                "open_end": event.open_end,
                "doubtful": event.doubtful,
            }
            for event in video.events
        ],
    }
