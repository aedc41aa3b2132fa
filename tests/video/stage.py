"""Faces, frames and tracks whose numbers a person can check."""

import dataclasses

import numpy as np

from tests.inference.made_up import a_face
from vlfau.inference.results import PictureResult
from vlfau.media.frames import VideoFrame
from vlfau.video.tracks import Track

AU_IDS = (1, 6, 12)


def face(prob=0.75, *, face_id=1, box=(30, 20, 90, 80), state=None, au_id=12, words="The lip corners rise, up."):
    """A face whose AU `au_id` has this probability, and is active from 0.5 on; its other AUs rest."""
    aus = tuple(
        dataclasses.replace(
            au,
            prob=prob if au.au_id == au_id else 0.1,
            state=bool(au.au_id == au_id and (prob >= 0.5 if state is None else state)),
            local_caption=words if au.au_id == au_id else None,
            intensity=None,
            attention_map=np.array([[0, 0], [0, 1]], np.float32),
        )
        for au in a_face().aus
    )
    crop = np.full((16, 16, 3), round(255 * prob), np.uint8)
    return dataclasses.replace(a_face(), aus=aus, face_id=face_id, face_box_xyxy=box, crop=crop)


def frame(number, time_s, *, size=(160, 120), colour=(90, 90, 90)):
    pixels = np.full((size[1], size[0], 3), colour, np.uint8)
    return VideoFrame(number, time_s, pixels)


def result(number, time_s, *faces):
    return PictureResult("me.mp4", faces, frame=number, time_s=time_s)


def smile(time_s, *, start_s=2.0, peak_s=3.0, end_s=4.0, peak=0.9):
    """The probability of an AU that rises to its peak and falls again, linearly."""
    return float(np.interp(time_s, [start_s, peak_s, end_s], [0.1, peak, 0.1]))


def track(probs, *, face_id=1, rate=10.0, start_s=0.0, lost=None, au_ids=AU_IDS):
    """A track from probabilities (T, N); active from 0.5 on."""
    probs = np.asarray(probs, np.float32)
    return Track(
        face_id=face_id,
        time_s=start_s + np.arange(len(probs)) / rate,
        probs=probs,
        states=probs >= 0.5,
        intensities=None,
        au_ids=au_ids,
        lost=lost,
    )


def smiling_track(seconds=6.0, **values):
    """AU12 rises to 0.9 at 3 s; AU6 reaches 0.4 with it; AU1 rests."""
    times = np.arange(round(seconds * 10)) / 10
    probs = [[0.05, smile(time_s, peak=0.4), smile(time_s)] for time_s in times]
    return track(probs, **values)
