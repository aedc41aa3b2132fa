"""Build the package, check it as PyPI would, install it where there is nothing else, and use it there.

It needs the extra `release`: `python -m pip install '.[release]'`, then `python scripts/wheel_test.py`.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "astronaut.png"
HEAVY = ("torch", "lightning", "matplotlib", "pandas")


def main() -> None:
    """Build, check, install, use; end with an error if anything is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        _run(sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT)
        (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
        _say("build", start)
        print(f"{sdist.name}: {sdist.stat().st_size / 1e6:.1f} MB, {wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
        _run(sys.executable, "-m", "check_wheel_contents", "--config", ROOT / "pyproject.toml", wheel)
        _run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
        _check_licences(wheel)
        start = time.perf_counter()
        venv.create(folder / "venv", with_pip=True)
        programs = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        _run(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
        size = sum(path.stat().st_size for path in (folder / "venv").rglob("*") if path.is_file())
        _say(f"install, {size / 1e6:.0f} MB with all it needs", start)
        _use(programs, folder)


def _check_licences(wheel: Path) -> None:
    """Refuse a wheel without its licences; the build leaves out a file that is missing."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    missing = [name for name in ("LICENSE", "NOTICE") if not any(each.endswith(f"licenses/{name}") for each in names)]
    if missing:
        sys.exit(f"{wheel.name}: {' and '.join(missing)} missing in its .dist-info/licenses")


def _use(programs: Path, folder: Path) -> None:
    """Use the installed package from a folder that knows nothing of the repository."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(EXAMPLE, elsewhere)
    absent = f"import importlib.util as u; assert not any(map(u.find_spec, {HEAVY!r})), 'there is more than is needed'"
    _run(programs / "python", "-c", absent, cwd=elsewhere)
    _run(programs / "python", "-c", "import vlfau", cwd=elsewhere)
    _run(programs / "vlfau", "--version", cwd=elsewhere)
    start = time.perf_counter()
    _run(programs / "vlfau", "predict", EXAMPLE.name, "--out", "results", cwd=elsewhere)
    _say("first prediction", start)
    with (elsewhere / "results" / "results.csv").open(encoding="utf-8", newline="") as lines:
        rows = len(list(csv.DictReader(lines)))
    if rows != 1:
        sys.exit(f"{rows} faces were found in {EXAMPLE.name}; expected 1")


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "VLFAU_"))}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def _say(what: str, start: float) -> None:
    print(f"{what}: {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
