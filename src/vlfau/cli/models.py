"""`vlfau models`: which bundles can be called by name."""

__all__ = ["models"]


def models() -> int:
    """List the models: those that vlfau brings, and those in the folders of the variable VLFAU_MODELS."""
    from rich import box
    from rich.table import Table

    from vlfau.cli.console import output_console, print_error
    from vlfau.errors import BundleError
    from vlfau.inference.bundle import bundle_folders, load_bundle

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Name", "AUs", "Words", "MB", "Learned from", "Folder"):
        table.add_column(heading, justify="right" if heading == "MB" else "left")
    damaged = 0
    for name, folder in bundle_folders().items():
        try:
            bundle = load_bundle(folder)
        except BundleError as error:
            print_error(str(error))
            damaged += 1
            continue
        aus = " ".join(map(str, bundle.info.au_ids))
        words = ("an AU",) * bundle.has_local_captions + ("a face",) * bundle.has_global_captions
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        faces = "synthetic faces" if bundle.info.is_synthetic else "real faces"
        table.add_row(name, aus, ", ".join(words) or "none", f"{size:.1f}", faces, str(folder))
    output_console().print(table)
    return 2 if damaged else 0
