"""The web page (extra `app`): a picture, a video or a camera in, action units and words out."""
