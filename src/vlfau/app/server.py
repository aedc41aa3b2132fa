"""Serves the page until interrupted."""

import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from vlfau.app.site import PageLimits, Site
from vlfau.errors import InputError, MissingExtraError
from vlfau.runs.options import ModelOptions

__all__ = ["serve", "sweep"]

_ENVIRONMENT: Final = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}
"""Switches off the telemetry of libraries, which read these variables on import."""
_SWEEP_S: Final = 60.0


def serve(
    *,
    host: str,
    port: int,
    options: ModelOptions,
    limits: PageLimits,
    ready: Callable[[str], None],
) -> None:
    """Serve the page until the process is interrupted or terminated.

    Args:
        host: Address to listen on.
        port: Port; 0 picks a free one.
        options: The model and runtime.
        limits: Limits of the page.
        ready: Called with the address when the page is ready.

    Raises:
        InputError: The address cannot be used.
        BundleError: There is no such model, or it is damaged.
        MissingExtraError: Gradio or the runtime is not installed.
    """
    port = _free_port(host, port)
    if find_spec("gradio") is None:
        raise MissingExtraError("gradio", "app")
    os.environ.update(_ENVIRONMENT)
    for name in ("NO_PROXY", "no_proxy"):  # Gradio checks that its own server responds.
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), host, "localhost", "127.0.0.1")))
    with _folder() as folder:
        # Gradio reads the folder for its files when a page is built.
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        from starlette.middleware import Middleware  # noqa: PLC0415

        from vlfau.app.guard import Guard  # noqa: PLC0415
        from vlfau.app.page import build_page, theme  # noqa: PLC0415
        from vlfau.app.predictions import PagePredictor  # noqa: PLC0415
        from vlfau.drawing.pages import stylesheet  # noqa: PLC0415

        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        page = build_page(Site(PagePredictor(options, limits), limits, folder))
        _, url, _ = page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            share=False,
            show_error=False,
            quiet=True,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            ssr_mode=False,
            pwa=False,
            allowed_paths=[],
            max_file_size=limits.max_upload_bytes,
            state_session_capacity=4 * limits.waiting,
            app_kwargs={
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
                "middleware": [Middleware(Guard, limits=limits, folder=folder)],
            },
            theme=theme(),
            css=str(stylesheet(dark_class="dark")),
            css_paths=Path(__file__).with_name("page.css"),
            js=Path(__file__).with_name("page.js").read_text("utf-8"),
        )
        ready(url)
        while not stopping.wait(_SWEEP_S):
            sweep(folder, limits.kept_s)
        page.close(verbose=False)


def sweep(folder: Path, older_than_s: float) -> None:
    """Delete files and empty folders that were not modified for this many seconds."""
    now = time.time()
    for path in sorted(folder.rglob("*"), reverse=True):  # Contents come before their folder.
        with suppress(OSError):  # Already deleted, or a folder in use.
            if now - path.lstat().st_mtime > older_than_s:
                path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="vlfau-app-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port(host: str, port: int) -> int:
    """Check that the port can be used, before the model is loaded, and return it."""
    if not 0 <= port <= 65_535:
        raise InputError(f"invalid port {port}; give 1 to 65535, or 0 for a free one")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        raise InputError(f"cannot listen on {host}, port {port} ({error}); choose another --host or --port") from None
