import json
import re
from pathlib import Path

import pytest

from vlfau import errors
from vlfau.errors import MissingExtraError, install_command


class Installed:
    """A distribution that pip installed from somewhere."""

    def __init__(self, url):
        self._url = url

    def read_text(self, name):
        assert name == "direct_url.json"
        return None if self._url is None else json.dumps({"url": self._url})


@pytest.fixture
def install(monkeypatch, tmp_path):
    def from_(url, checkout=tmp_path / "none"):
        monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed(url))
        monkeypatch.setattr(errors, "__file__", str(checkout / "src" / "vlfau" / "errors.py"))

    return from_


def test_an_extra_is_installed_from_where_vlfau_came_from(install, tmp_path, monkeypatch):
    checkout = tmp_path / "my vlfau"
    checkout.mkdir()
    install(checkout.as_uri())
    assert install_command("plots") == f"pip install '{checkout}[plots]'"
    monkeypatch.chdir(checkout)
    assert install_command("plots") == "pip install '.[plots]'"


def test_a_checkout_that_is_not_installed_is_named(install, tmp_path):
    (tmp_path / "pyproject.toml").touch()
    install(None, checkout=tmp_path)
    assert install_command("app") == f"pip install '{tmp_path}[app]'"


@pytest.mark.parametrize("url", [None, "https://example.org/vlfau.whl", "file:///nowhere/vlfau"])
def test_a_package_of_the_index_is_named(install, url):
    install(url)
    assert install_command("app") == "pip install 'vlfau[app]'"


def test_what_needs_the_extra_is_named_and_not_its_package():
    message = str(MissingExtraError("markupsafe", "plots"))
    assert message.startswith("timelines, reports and plots need the extra 'plots', which is not installed; run: pip ")
    assert "markupsafe" not in message


def test_every_extra_of_users_says_what_needs_it():
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = set(re.findall(r"^(\w+) = \[", section, re.MULTILINE)) - {"browser", "convert", "dev", "docs", "release"}
    assert extras == set(errors._NEEDED_BY)
