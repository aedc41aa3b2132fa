"""The web page (extra `app`): action units and captions of pictures, videos and the camera."""
