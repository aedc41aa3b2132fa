"""Checkpoints by name: folders, and repositories of the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import HfApi, snapshot_download

from vlfau.errors import CheckpointError, first_line
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE
from vlfau.model.checkpoint import METADATA_FILE, WEIGHTS_FILE, LoadedCheckpoint, load_checkpoint, read_metadata
from vlfau.training.checkpoint import save_checkpoint as save_pretrained

__all__ = ["from_pretrained", "push_to_hub", "save_pretrained"]

FILES = (WEIGHTS_FILE, METADATA_FILE, DESCRIPTIONS_FILE)


def from_pretrained(name: str | Path, *, revision: str | None = None) -> LoadedCheckpoint:
    """Load a checkpoint; no code in it is executed.

    Args:
        name: A local folder, or a repository such as "laboratory/vlfau-bp4d-fold1", which is downloaded.
        revision: A branch, tag or commit of the repository.

    Raises:
        CheckpointError: It is neither, or damaged.
    """
    if Path(name).is_dir():
        return load_checkpoint(Path(name))
    try:
        folder = snapshot_download(str(name), revision=revision, allow_patterns=list(FILES))
    except Exception as error:  # The client also raises errors of its transport, which have no common base class.
        raise CheckpointError(
            f"{name} is neither a folder nor a repository that could be fetched ({first_line(error)}); check the "
            "name, or give a folder"
        ) from None
    return load_checkpoint(Path(folder))


def push_to_hub(folder: Path, repository: str, *, private: bool = True, token: str | None = None) -> str:
    """Upload a checkpoint.

    Args:
        folder: Folder of the checkpoint.
        repository: Its name on the hub; created if it does not exist.
        private: Whether a new repository is private.
        token: Access token of the hub; None takes the one stored by `hf auth login`.

    Returns:
        The address of the upload.

    Raises:
        CheckpointError: It is not a checkpoint, or the hub refuses.
    """
    read_metadata(folder)
    api = HfApi(token=token)
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        return str(api.upload_folder(folder_path=folder, repo_id=repository, allow_patterns=list(FILES)))
    except Exception as error:  # The client also raises errors of its transport, which have no common base class.
        raise CheckpointError(f"{folder} could not be uploaded to {repository} ({first_line(error)})") from None
