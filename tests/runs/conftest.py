from tests.cli.conftest import predict  # noqa: F401
