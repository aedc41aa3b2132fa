import shutil
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest

from tests.app.serving import start_page
from tests.inference.tiny_bundle import write_tiny_bundle
from tests.video.clips import EXAMPLE, crossing, moving, photograph, scene, write_video


@pytest.fixture(scope="session")
def astronaut():
    return EXAMPLE


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny", training={"synthetic": True})


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """The page, with the default model, in a process of its own."""
    if find_spec("gradio") is None:
        pytest.skip("gradio is not installed: pip install 'vlfau[app]'")
    page = start_page(tmp_path_factory.mktemp("page"))
    yield page
    page.stop()


@pytest.fixture(scope="session")
def chromium():
    """A browser whose camera shows the example photograph, at 640 x 480, on the left of a black ground."""
    if find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install playwright")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no chromium is installed: apt-get install chromium")
    return program


@pytest.fixture(scope="session")
def face_mp4(tmp_path_factory):
    """One face that sways for a second."""
    return write_video(tmp_path_factory.mktemp("videos") / "face.mp4", moving(20), rate=20)


@pytest.fixture(scope="session")
def two_mp4(tmp_path_factory):
    """Two faces for two seconds."""
    return write_video(tmp_path_factory.mktemp("videos") / "two.mp4", list(crossing(60))[:20], rate=10)


@pytest.fixture(scope="session")
def three_png(tmp_path_factory):
    """Three faces, the largest in the middle and the smallest at the right."""
    from PIL import Image

    path = Path(tmp_path_factory.mktemp("pictures") / "three.png")
    Image.fromarray(scene([(130, 180), (330, 190), (520, 170)], zoom=(1, 1.3, 0.8))).save(path)
    return path


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    """A browser whose camera shows the left 512 of its 640 pixels of the photograph, and black beside it."""
    film = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    scene = np.zeros((480, 640, 3), np.uint8)
    scene[:, :512] = photograph()[:480]
    with av.open(str(film), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(scene, format="rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def expected(astronaut):
    from vlfau.inference.predictor import Predictor

    (face,) = Predictor().predict(astronaut)
    return face
