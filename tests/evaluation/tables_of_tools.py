"""Small tables in the columns of each tool, and a manifest to match."""

import csv

VLFAU = "file,frame,time_s,face,box_x1,box_y1,box_x2,box_y2,face_score,yaw,pitch,roll"
OPENFACE_IMAGE = "face,confidence,gaze_0_x,pose_Tx,pose_Rx,x_0,y_0"
OPENFACE_SEQUENCE = "frame,face_id,timestamp,confidence,success,gaze_0_x,pose_Rx"
PYFEAT = "FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,x_0,y_0,Pitch,Roll,Yaw"
PYFEAT_END = "anger,neutral,input,frame"
LIBREFACE = "facial_expression,gaze_yaw,gaze_pitch,pitch,yaw,roll,lm_mp_0_x,lm_mp_0_y,lm_mp_0_z"


def write(path, head, rows, *, comma=","):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(head) if isinstance(head, (list, tuple)) else head, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(line.replace(",", comma) for line in lines) + "\n", encoding="utf-8")
    return path


def write_manifest(folder, frames, *, extra=("expression",)):
    """Frames are (picture, subject, {column: cell})."""
    columns = sorted({column for _, _, cells in frames for column in cells})
    path = folder / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "subject", *columns])
        writer.writerows(
            [image, subject, *(cells.get(column, "") for column in columns)] for image, subject, cells in frames
        )
    return path


def write_vlfau(path, faces, au_ids=(12,)):
    """Faces are (file, size of the box, {AU: (probability, state, intensity)})."""
    head = f"{VLFAU},{','.join(f'AU{au}_prob,AU{au}_state,AU{au}_intensity,AU{au}_text' for au in au_ids)},global_text"
    rows = [
        [file, "", "", 1, 0, 0, size, size, 0.9, 0, 0, 0, *(cell for au in au_ids for cell in (*aus[au], "")), ""]
        for file, size, aus in faces
    ]
    return write(path, head, rows)


def write_openface_picture(path, faces, au_ids=(12,), *, comma=","):
    """Faces are (confidence, {AU: (intensity, state)}), as FaceLandmarkImg writes those of one picture."""
    head = f"{OPENFACE_IMAGE},{','.join(f'AU{au:02}_r' for au in au_ids)},{','.join(f'AU{au:02}_c' for au in au_ids)}"
    rows = [
        [number, confidence, 0, 0, 0, 1, 1, *(aus[au][0] for au in au_ids), *(f"{aus[au][1]:.1f}" for au in au_ids)]
        for number, (confidence, aus) in enumerate(faces)
    ]
    return write(path, head, rows, comma=comma)


def write_pyfeat(path, faces, au_ids=(11, 12)):
    """Faces are (input, width, {AU: probability}); None is a picture without a face."""
    head = f"{PYFEAT},{','.join(f'AU{au:02}' for au in au_ids)},{PYFEAT_END}"
    rows = [
        [*[""] * 10, *[""] * len(au_ids), "", "", file, number]
        if aus is None
        else [0, 0, width, width, 0.99, 1, 1, 0, 0, 0, *(aus.get(au, 0) for au in au_ids), 0, 1, file, number]
        for number, (file, width, aus) in enumerate(faces)
    ]
    return write(path, head, rows)


def write_libreface(path, states, intensities):
    """One picture: states and intensities by AU, of which LibreFace has different ones."""
    head = [*LIBREFACE.split(","), *(f"au_{au}" for au in states), *(f"au_{au}_intensity" for au in intensities)]
    return write(path, head, [["Happiness", 0, 0, 1, 2, 3, 0.5, 0.5, 0, *states.values(), *intensities.values()]])
