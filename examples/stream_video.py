"""Track smiles in a video or from a camera: `python examples/stream_video.py clip.mp4` (or `camera:0`).

Frames are processed one by one; only the scores are kept, to find events at the end.
"""

import sys

import vlfau
from vlfau.video.events import find_events
from vlfau.video.summary import clock, summary
from vlfau.video.tracks import TrackBuilder

SMILE = 12

predictor = vlfau.Predictor()
builder = TrackBuilder(predictor.au_ids)
for frame, result in vlfau.stream(predictor, sys.argv[1], every_s=0.1, describe="never"):
    builder.add(result)
    for face in result:
        prob = face[SMILE].prob
        print(f"{clock(frame.time_s)}  face {face.face_id}  AU{SMILE} {prob:.2f} {'#' * round(20 * prob)}")

tracks = builder.build()
model = predictor.bundle.info
events = [event for track in tracks for event in find_events(track, thresholds=model.thresholds)]
print(summary(tracks, events, descriptions=model.descriptions))
