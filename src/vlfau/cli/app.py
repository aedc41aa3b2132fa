"""`vlfau app`: the web page."""

from vlfau.files.workers import MAX_WORKERS, check_number
from vlfau.inference.runtimes import Runtime

__all__ = ["app"]


def app(
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    model: str | None = None,
    threads: int = 1,
    runtime: Runtime = "onnxruntime",
    max_upload_mb: float = 50.0,
    max_video_s: float = 60.0,
) -> None:
    """Show a web page that takes pictures, videos and a camera, until Ctrl+C.

    The page asks nothing of the internet. By default only this computer can visit it; nothing checks who a visitor
    is, so put a server with a login before it if --host lets others in.

    Args:
        host: The address to listen at; 0.0.0.0 lets other computers in.
        port: The port; 0 takes a free one.
        model: A bundle to use instead of the default one: its folder, or a name that vlfau models lists.
        threads: Processor threads for each picture.
        runtime: What computes the model; auto takes the fastest that this machine has.
        max_upload_mb: The largest file that is taken, in megabytes.
        max_video_s: The longest video that is taken, in seconds.
    """
    import logging

    from vlfau.app.server import serve
    from vlfau.app.settings import Settings
    from vlfau.cli.console import output_console

    check_number("threads", threads, MAX_WORKERS)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    console = output_console()

    def tell(url: str) -> None:
        console.print(f"The page is at {url} (Ctrl+C ends it)", soft_wrap=True)

    settings = Settings(max_upload_mb=max_upload_mb, max_video_s=max_video_s)
    serve(host=host, port=port, model=model, threads=threads, runtime=runtime, settings=settings, ready=tell)
