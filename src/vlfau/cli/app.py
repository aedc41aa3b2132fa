"""`vlfau app`: the web page."""

from typing import Annotated

from cyclopts import Parameter

from vlfau.files.workers import MAX_WORKERS, check_number
from vlfau.runs.options import ModelOptions

__all__ = ["app"]

_DEFAULTS = ModelOptions()


def app(
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    options: ModelOptions = _DEFAULTS,
    max_upload_mb: float = 50.0,
    max_video_s: float = 60.0,
    allowed_hosts: Annotated[tuple[str, ...], Parameter(negative=())] = (),
) -> None:
    """Serve a web page for pictures, videos and the camera, until Ctrl-C.

    The page loads nothing from the internet. By default only this computer can open it. There is no login: if --host
    accepts other computers, put the page behind a web server with a login.

    Args:
        host: Address to listen on; 0.0.0.0 accepts other computers.
        port: Port; 0 picks a free one.
        options: The model and runtime; threads are per picture.
        max_upload_mb: Largest file, in megabytes.
        max_video_s: Longest video, in seconds.
        allowed_hosts: Names under which the page may be opened, such as faces.example.org or *.example.org, if a web
            server is in front; this computer's name and addresses are always allowed.
    """
    import logging

    from vlfau.app.server import serve
    from vlfau.app.site import PageLimits
    from vlfau.cli.console import output_console

    check_number("threads", options.threads, MAX_WORKERS)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    console = output_console()

    def tell(url: str) -> None:
        console.print(f"The page is at {url} (Ctrl-C stops it)", soft_wrap=True)

    limits = PageLimits(max_upload_mb=max_upload_mb, max_video_s=max_video_s)
    serve(host=host, port=port, options=options, limits=limits, ready=tell, allowed_hosts=allowed_hosts)
