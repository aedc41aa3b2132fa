"""Print the active action units of the faces in a picture: `python examples/predict_picture.py photo.jpg results`.

With a second argument, the annotated picture and the tables are saved in that folder.
"""

import sys
from pathlib import Path

import vlfau

photo = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("astronaut.png")
predictor = vlfau.Predictor()
result = predictor.predict(photo)
for number, face in enumerate(result, start=1):
    print(f"face {number}: {face.global_caption}")
    for au in face.active_aus:
        print(f"  {au.label} {au.name} ({au.prob:.2f}): {au.local_caption}")
if len(sys.argv) > 2:
    result.save(sys.argv[2])
