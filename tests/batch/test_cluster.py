"""With Ray, on this machine."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from tests.batch.running import content
from vlfau.batch.archive import process_archive
from vlfau.batch.cluster import cluster
from vlfau.batch.inputs import file_id
from vlfau.errors import ConfigError, InputError, MissingExtraError, VlfauError

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
            with suppress(FileNotFoundError):  # The worker has finished these files by now.
                lines = path.read_text().splitlines(keepends=True)
                begun = [line.split() for line in lines if line.startswith(file_id(file)) and line.endswith("\n")]
                if begun:
                    os.kill(int(begun[0][2]), signal.SIGKILL)
                    killed.append(int(begun[0][2]))
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


LOSES_A_NODE = """
import os, sys
from vlfau.batch.archive import process_archive
from vlfau.batch.cluster import _QUIET
from vlfau.runs.options import ArchiveOptions

os.environ.update(_QUIET)
from ray.cluster_utils import Cluster

small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
node, lost = cluster.add_node(**small), []

def lose_it(progress):
    if progress.processed and not lost:
        lost.append(node)
        cluster.remove_node(node, allow_graceful=False)

source, out, model = sys.argv[1:]
process_archive(source, out, ArchiveOptions(model=model), workers=2, address=cluster.address, progress=lose_it)
print("lost", len(lost))
cluster.shutdown()
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform == "win32", reason="Ray has no clusters on Windows")
def test_a_lost_node_costs_no_row(undisturbed, archive, options, tmp_path):
    """Two nodes, one of which is gone as soon as the first files are done."""
    out = tmp_path / "out"
    words = [sys.executable, "-c", LOSES_A_NODE, str(archive.folder), str(out), options.model]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=1100)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "lost 1" in done.stdout
    assert content(out) == content(undisturbed[1])


def test_no_workers_are_refused():
    with pytest.raises(ConfigError, match="workers is 0"), cluster(None, 0):
        pass


def test_an_address_without_a_cluster_is_named():
    with pytest.raises(InputError, match=r"no Ray cluster answers at 127.0.0.1:1"), cluster("127.0.0.1:1", None):
        pass


class BusyRay:
    """Ray on a machine too busy for it: a start leaves a process and raises a bare Exception."""

    exceptions = SimpleNamespace(RayError=RuntimeError)

    def __init__(self, failures):
        self.failures, self.left = failures, []

    def module(self, name):
        return import_module(name) if name == "psutil" else self

    def init(self, *_, _temp_dir, **__):
        if len(self.left) == self.failures:
            return
        self.left.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", _temp_dir]))
        raise Exception("The current node timed out during startup. This\ncould happen")

    is_initialized = shutdown = lambda self: None


def ended(processes):
    return all(process.poll() is not None for process in processes)


def test_a_start_that_took_too_long_is_tried_again(monkeypatch):
    ray = BusyRay(failures=1)
    monkeypatch.setattr("vlfau.batch.cluster.import_module", ray.module)
    with cluster(None, 1):
        assert ended(ray.left)


def test_a_machine_too_busy_for_ray_is_told(monkeypatch):
    ray = BusyRay(failures=2)
    monkeypatch.setattr("vlfau.batch.cluster.import_module", ray.module)
    with (
        pytest.raises(VlfauError, match=r"Ray does not start .*\(The current node timed out.*; if the machine is busy"),
        cluster(None, 1),
    ):
        pass
    assert len(ray.left) == 2
    assert ended(ray.left)


def test_without_ray_the_extra_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr("vlfau.batch.cluster.import_module", missing)
    with (
        pytest.raises(MissingExtraError, match=r"the extra 'batch', which .* pip install '.*\[batch\]'"),
        cluster(None, None),
    ):
        pass
