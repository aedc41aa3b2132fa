import re
from pathlib import Path

from scripts.package_readme import without_relative_links

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def test_the_description_of_the_package_has_no_link_that_leads_nowhere():
    text = without_relative_links(README)
    targets = re.findall(r"\]\(([^)]*)\)", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    assert targets
    assert all(target.startswith("https://") for target in targets)
    assert "![" not in text


def test_words_and_commands_stay():
    text = without_relative_links(README)
    assert "[arXiv:2408.00644](https://arxiv.org/abs/2408.00644)" in text
    for command in re.findall(r"^```\w*\n.*?^```", README, re.MULTILINE | re.DOTALL):
        assert command in text
    assert without_relative_links("see [`a`](b.md), and `[c](d)`") == "see `a`, and `[c](d)`"
