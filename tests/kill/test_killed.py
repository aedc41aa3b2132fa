"""Commands that are killed again and again end like undisturbed ones; `VLFAU_KILLS` says how often."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.every_command import COMMANDS
from tests.kill.contents import predicted, processed, trained
from tests.kill.killing import Job, check_endures, files_of
from vlfau.cli import main
from vlfau.facs import AU_SETS
from vlfau.runs.output_folder import RECORD_FILE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes"),
]
# So that rows reach the disk often.
PREDICT = """
import functools, sys
from vlfau.cli import main
from vlfau.runs import output_writer

output_writer.open_sink = functools.partial(output_writer.open_sink, flush_rows=2)
sys.exit(main(sys.argv[1:]))
"""


def test_predict(inputs, tiny_bundle, tmp_path):
    def words(out):
        table = out / "table.parquet"
        return "predict", inputs, "--model", tiny_bundle.folder, "--out", out, "--annotate", "--table", table, "-q"

    check_endures(Job(words, predicted, again=("--resume",), program=PREDICT, code=2), tmp_path)


def lengthened(table, rows):
    """Repeat the last row of a table under other names, so that opening it takes time."""
    *others, last = table.read_text().splitlines(keepends=True)  # A CSV file has a head, JSON Lines have none.
    copies = [last.replace("d.png", f"d{number}.png") for number in range(rows)]
    table.write_text("".join([*others, last, *copies]))


def test_predict_into_a_finished_table(inputs, tiny_bundle, tmp_path):
    """A kill while a finished table is opened again costs none of its rows, in CSV and JSON Lines."""

    def words(out):
        return "predict", inputs, "--model", tiny_bundle.folder, "--out", out, "--heatmap", "active", "-q"

    before = tmp_path / "before"
    assert main([str(word) for word in ("predict", inputs / "d.png", *words(before)[2:])]) == 0
    for name in ("results.csv", "results.jsonl"):
        lengthened(before / name, 8_000)
    job = Job(words, predicted, again=("--resume",), program=PREDICT, code=2, before=before)
    check_endures(job, tmp_path)


def rows_and_files(out):
    """What `predict` leaves, whatever the order of its inputs was."""
    found = predicted(out)
    for name in ("results.csv", "results.jsonl", "errors.csv", RECORD_FILE):
        found[name] = sorted(found[name].splitlines())
    return found


def test_predict_with_other_inputs_in_every_run(inputs, tiny_bundle, tmp_path):
    """Inputs are added, removed and reordered between killed and finished runs; in the end each is there, once."""
    files = sorted(inputs.iterdir())
    options = ("--model", tiny_bundle.folder, "--heatmap", "active", "-q")

    def words(out):
        return "predict", *files, "--out", out, *options

    def others(out, rng):
        chosen = rng.permutation(len(files))[: rng.integers(1, len(files) + 1)]
        return "predict", *(files[index] for index in chosen), "--out", out, *options

    job = Job(words, rows_and_files, again=("--resume",), program=PREDICT, code=2, others=others)
    check_endures(job, tmp_path)


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed (extra batch)")
def test_batch(inputs, tiny_bundle, tmp_path):
    before = set(Path("/tmp").glob("vlfau-ray-*"))
    try:
        check_endures(
            Job(lambda out: ("batch", inputs, out, "--model", tiny_bundle.folder, "--workers", 2), processed, code=2),
            tmp_path,
        )
    finally:
        for left in set(Path("/tmp").glob("vlfau-ray-*")) - before:
            shutil.rmtree(left, ignore_errors=True)


@pytest.mark.parametrize("name", ["describe", "evaluate", "compare", "report", "export", "calibrate"])
def test_other_commands(request, tmp_path, name):
    """Each begins anew when it is called again; `export` and `calibrate` make a folder that a second call refuses."""
    world = request.getfixturevalue("trained" if COMMANDS[name].needs_training else "world")

    def words(out):
        out.mkdir(exist_ok=True)
        return *name.split(), *COMMANDS[name].words(world, out)

    def has_ended(out):
        return name in {"export", "calibrate"} and (out / COMMANDS[name].writes[0].partition("/")[0]).exists()

    check_endures(Job(words, files_of, has_ended=has_ended), tmp_path)


def test_prepare_pictures(make_bp4d, tmp_path):
    frames = {number: {12: number % 2} for number in range(12)}
    source = make_bp4d({(subject, "T1"): frames for subject in ("F007", "M011", "F001")})
    check_endures(Job(lambda out: ("prepare", "bp4d", source, out, "--workers", 2), files_of), tmp_path)


def test_prepare_videos(make_disfa, tmp_path):
    frames = [dict.fromkeys(AU_SETS["disfa"], number % 3) for number in range(12)]
    source = make_disfa({"SN003": frames, "SN013": frames, "SN002": frames})
    check_endures(Job(lambda out: ("prepare", "disfa", source, out, "--workers", 2), files_of), tmp_path)


def test_synth(tmp_path):
    size = ("--subjects", 3, "--clips", 2, "--frames", 2, "--size", 64, "--workers", 2)
    check_endures(Job(lambda out: ("synth", out, *size, "--pairs", "--regions"), files_of), tmp_path)


def test_train(toy_file, tmp_path):
    def words(out):
        return "train", toy_file, "--set", "run.max_epochs=6", "--set", f"run.output={out}"

    check_endures(Job(words, trained, again=("--continue",)), tmp_path)


def test_crossval(toy_file, tmp_path):
    def words(out):
        return "crossval", toy_file, "--set", "run.max_epochs=2", "--out", out, "--name", "toy", "--frames", 2

    check_endures(Job(words, trained), tmp_path)
