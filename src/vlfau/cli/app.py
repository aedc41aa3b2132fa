"""`vlfau app`: the web page."""

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
) -> None:
    """Show a web page that takes pictures, videos and a camera, until Ctrl+C.

    The page asks nothing of the internet. By default only this computer can visit it; nothing checks who a visitor
    is, so put a server with a login before it if --host lets others in.

    Args:
        host: The address to listen at; 0.0.0.0 lets other computers in.
        port: The port; 0 takes a free one.
        options: Which model is used; each picture takes its own threads.
        max_upload_mb: The largest file that is taken, in megabytes.
        max_video_s: The longest video that is taken, in seconds.
    """
    import logging

    from vlfau.app.server import serve
    from vlfau.app.site import PageLimits
    from vlfau.cli.console import output_console

    check_number("threads", options.threads, MAX_WORKERS)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    console = output_console()

    def tell(url: str) -> None:
        console.print(f"The page is at {url} (Ctrl+C ends it)", soft_wrap=True)

    limits = PageLimits(max_upload_mb=max_upload_mb, max_video_s=max_video_s)
    serve(host=host, port=port, options=options, limits=limits, ready=tell)
