from tests.inference.conftest import astronaut, tiny_bundle

__all__ = ["astronaut", "tiny_bundle"]
