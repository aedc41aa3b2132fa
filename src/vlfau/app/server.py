"""Serves the page until interrupted."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from vlfau.app.disk import Disk, own_folder, sweep
from vlfau.app.hosts import Hosts
from vlfau.app.site import PageLimits, Site
from vlfau.errors import InputError, MissingExtraError
from vlfau.runs.options import ModelOptions

if TYPE_CHECKING:
    from vlfau.app.connections import PageServer

__all__ = ["serve"]

_ENVIRONMENT: Final = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}
"""Switches off the telemetry of libraries, which read these variables on import."""
_SWEEP_S: Final = 60.0
_STOP_S: Final = 10.0


def serve(
    *,
    host: str,
    port: int,
    options: ModelOptions,
    limits: PageLimits,
    ready: Callable[[str], None],
    allowed_hosts: Sequence[str] = (),
) -> None:
    """Serve the page until the process is interrupted or terminated, or its terminal is closed.

    Args:
        host: Address to listen on.
        port: Port; 0 picks a free one.
        options: The model and runtime.
        limits: Limits of the page.
        ready: Called with the address when the page is ready.
        allowed_hosts: Names under which the page may be asked for, besides its own address and this computer.

    Raises:
        InputError: The address cannot be used.
        ConfigError: A limit or an allowed name is invalid.
        BundleError: There is no such model, or it is damaged.
        MissingExtraError: Gradio or the runtime is not installed.
    """
    hosts = Hosts(host, allowed_hosts)
    listener = _listener(host, port)  # Before the model is loaded.
    with listener:
        if find_spec("gradio") is None:
            raise MissingExtraError("gradio", "app")
        os.environ.update(_ENVIRONMENT)
        stopping = _stopping()
        with own_folder() as folder:
            # Gradio reads the folder for its files when a page is built.
            os.environ["GRADIO_TEMP_DIR"] = str(folder)
            disk = Disk(folder, limits.max_kept_mb * 1e6)
            with _running(_server(disk, hosts, options, limits), listener):
                ready(_url(host, listener))
                while not stopping.wait(_SWEEP_S):
                    sweep(folder, limits.kept_s)


def _server(disk: Disk, hosts: Hosts, options: ModelOptions, limits: PageLimits) -> "PageServer":
    """Load the model and return the server of the page."""
    from vlfau.app.connections import PageServer  # noqa: PLC0415 - needs Gradio's server
    from vlfau.app.guard import Guard  # noqa: PLC0415
    from vlfau.app.page import build_page, mounted, stop  # noqa: PLC0415
    from vlfau.app.predictions import PagePredictor  # noqa: PLC0415
    from vlfau.app.visitors import Visitors  # noqa: PLC0415

    page = build_page(Site(PagePredictor(options, limits), limits, disk))
    visitors = Visitors(page._queue, max_bytes=round(limits.max_waiting_mb * 1e6), grace_s=limits.left_s)
    app = Guard(mounted(page, limits), limits=limits, disk=disk, hosts=hosts, visitors=visitors)
    return PageServer(app, limits=limits, each_second=visitors.cancel_abandoned, on_stop=partial(stop, page))


@contextmanager
def _running(server: "PageServer", listener: socket.socket) -> Iterator[None]:
    """Run a server in a thread of its own."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        if not thread.is_alive():
            raise InputError("the server could not start; see the messages above")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_STOP_S)


def _stopping() -> threading.Event:
    """Return an event that is set when the process is asked to stop, or its terminal is closed."""
    stopping = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP.
        if number is not None and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):  # nohup
            signal.signal(number, lambda *_: stopping.set())
    return stopping


def _listener(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address."""
    if not 0 <= port <= 65_535:
        raise InputError(f"invalid port {port}; give 1 to 65535, or 0 for a free one")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":  # There, it would let two servers share a port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise InputError(f"cannot listen on {host}, port {port} ({error}); choose another --host or --port") from None
    return listener


def _url(host: str, listener: socket.socket) -> str:
    name = "localhost" if host in {"", "0.0.0.0", "::"} else f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}/"
