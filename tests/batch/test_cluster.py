"""With Ray, on this machine."""

import gc
import os
import signal
import threading
import time
import warnings
from importlib.util import find_spec

import pytest

from tests.batch.running import content
from vlfau.batch.archive import process_archive
from vlfau.batch.cluster import cluster
from vlfau.batch.inputs import file_id
from vlfau.errors import ConfigError, InputError, MissingExtraError

# Ray reads its options when it is imported, so a test must not import it.
pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed (extra batch)"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def ray_of_two():
    """Ray with two workers, which `process_archive` then uses."""
    with cluster(None, 2):
        yield
    # Ray does not wait for the ends of its processes.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def kill_who_reads(out, file, killed):
    """Kill the worker that begins a file, once."""
    while not killed:
        for path in (out / "_state" / "tries").glob("*"):
            begun = [line.split() for line in path.read_text().splitlines() if line.startswith(file_id(file))]
            if begun:
                killed.append(int(begun[0][2]))
                os.kill(killed[0], signal.SIGKILL)
                return
        time.sleep(0.002)


def test_a_killed_worker_and_bad_files_cost_no_row(ray_of_two, undisturbed, archive, options, tmp_path):
    out, killed, told = tmp_path / "out", [], []
    victim = str(archive.folder / "long.mp4")
    killer = threading.Thread(target=kill_who_reads, args=(out, victim, killed), daemon=True)
    killer.start()
    progress = process_archive(archive.folder, out, options, workers=2, progress=told.append)
    assert killed
    assert progress == undisturbed[0]
    assert [each.processed for each in told] == sorted(each.processed for each in told)
    assert (told[0].processed, told[-1]) == (0, progress)
    assert content(out) == content(undisturbed[1])
    assert not (out / "_state" / "writing").exists()


def test_no_workers_are_refused():
    with pytest.raises(ConfigError, match="workers is 0"), cluster(None, 0):
        pass


def test_an_address_without_a_cluster_is_named():
    with pytest.raises(InputError, match=r"no Ray cluster answers at 127.0.0.1:1"), cluster("127.0.0.1:1", None):
        pass


def test_without_ray_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr("vlfau.batch.cluster.import_module", missing)
    with (
        pytest.raises(MissingExtraError, match=r"the extra 'batch', which .* pip install '.*\[batch\]'"),
        cluster(None, None),
    ):
        pass
