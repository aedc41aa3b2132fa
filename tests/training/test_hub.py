import pytest
import torch

from vlfau.errors import CheckpointError
from vlfau.language import Vocabulary
from vlfau.model import ModelConfig, build_vlfau
from vlfau.model.checkpoint import Checkpoint
from vlfau.training import hub
from vlfau.training.hub import from_pretrained, push_to_hub, save_pretrained

AU_IDS = (1, 12)
VOCABULARY = Vocabulary.for_aus(AU_IDS)
MODEL = ModelConfig(
    backbone="facemesh", crop_size=64, combined_dim=16, feature_dim=8, local_language=False, global_language=False
)


@pytest.fixture
def saved(tmp_path):
    network = build_vlfau(MODEL, num_aus=2, vocabulary_size=len(VOCABULARY)).eval()
    metadata = Checkpoint(MODEL, AU_IDS, tuple(VOCABULARY.to_list()), 1, 72, {"synthetic": True}, {})
    save_pretrained(tmp_path / "net", network, metadata)
    return tmp_path / "net", network


def test_a_folder_is_loaded_without_a_network_connection(saved, monkeypatch):
    monkeypatch.setattr(hub, "snapshot_download", lambda *arguments, **options: pytest.fail("asked the hub"))
    folder, network = saved
    loaded, metadata = from_pretrained(folder)
    assert metadata.au_ids == AU_IDS
    assert all(torch.equal(network.state_dict()[name], value) for name, value in loaded.state_dict().items())


def test_a_repository_brings_the_files_of_a_checkpoint_and_no_other(saved, monkeypatch):
    asked = {}

    def download(name, **options):
        asked.update(options, name=name)
        return str(saved[0])

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert from_pretrained("laboratory/net", revision="v1")[1].fold == 1
    assert asked == {
        "name": "laboratory/net",
        "revision": "v1",
        "allow_patterns": ["model.safetensors", "checkpoint.json", "descriptions.json"],
    }


def test_a_name_that_cannot_be_fetched_is_refused(monkeypatch):
    def fail(*arguments, **options):
        raise OSError("no connection\nmore")

    monkeypatch.setattr(hub, "snapshot_download", fail)
    with pytest.raises(CheckpointError, match=r"nor a repository that could be fetched \(no connection\)"):
        from_pretrained("laboratory/none")


def test_a_checkpoint_is_uploaded_to_a_repository_that_is_made_for_it(saved, monkeypatch):
    calls = []

    class Api:
        def __init__(self, token):
            calls.append(token)

        def create_repo(self, name, **options):
            calls.append((name, options))

        def upload_folder(self, **options):
            calls.append(options)
            return "https://hub/laboratory/net"

    monkeypatch.setattr(hub, "HfApi", Api)
    assert push_to_hub(saved[0], "laboratory/net", token="key") == "https://hub/laboratory/net"
    assert calls[0] == "key"
    assert calls[1] == ("laboratory/net", {"private": True, "exist_ok": True})
    assert calls[2]["folder_path"] == saved[0]


def test_something_else_is_not_uploaded(tmp_path):
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        push_to_hub(tmp_path, "laboratory/net")
