"""What a model of synthetic faces owes its user."""

from vlfau.inference.bundle import BundleInfo

__all__ = ["synthetic_warning"]


def synthetic_warning(info: BundleInfo) -> str:
    """Return a line of warning; empty for a model that has seen real faces only."""
    if not info.is_synthetic:
        return ""
    return f"model {info.name} {info.version} learned its AUs from synthetic faces only; don't rely on its results"
