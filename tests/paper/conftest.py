import pytest

from tests.paper.built_runs import Data


@pytest.fixture
def data(tmp_path):
    """Synthetic faces with the AUs of DISFA; the pictures are not there."""
    return Data(tmp_path / "data")
