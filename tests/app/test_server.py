import socket
import sys

import pytest

from vlfau.app.server import serve
from vlfau.app.site import PageLimits
from vlfau.cli.app import app
from vlfau.errors import ConfigError, InputError, MissingExtraError
from vlfau.runs.options import ModelOptions


def test_without_gradio_the_command_that_brings_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(MissingExtraError, match=r"pip install '.*\[app\]'"):
        app(port=0)


def test_a_port_in_use_is_an_error_before_anything_is_loaded():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"cannot listen on 127\.0\.0\.1, port {port} .*; choose another --host"):
            app(port=port, options=ModelOptions(model="/no/such/model"))


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("256.1.1.1", 0, "cannot listen on 256"),
        ("127.0.0.1", 70_000, "invalid port 70000"),
        ("::g", 0, "cannot listen"),
    ],
)
def test_an_address_that_is_none_is_an_error(host, port, message):
    with pytest.raises(InputError, match=message):
        serve(host=host, port=port, options=ModelOptions(model="/no/such/model"), limits=PageLimits(), ready=print)


@pytest.mark.parametrize("values", [{"max_upload_mb": 0}, {"max_video_s": -1}, {"max_video_s": float("nan")}])
def test_limits_are_positive(values):
    with pytest.raises(ConfigError, match="give a number above 0"):
        PageLimits(**values)


def test_threads_are_positive():
    with pytest.raises(ConfigError, match="threads is 0"):
        app(options=ModelOptions(threads=0))
