"""What the repository promises outside its code."""

import re
import tomllib
from pathlib import Path

import yaml

from vlfau.facs import AU_SETS
from vlfau.training import read_config

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


def test_every_configuration_parses():
    assert CONFIGS
    for path in CONFIGS:
        config = read_config(path)
        config.data.au_ids()
        assert config.data.aligned_size >= config.model.crop_size, path.name


def test_the_papers_recipe_is_the_papers():
    for name in ("bp4d", "disfa"):
        config = read_config(ROOT / "configs" / f"{name}.yaml")
        assert config.data.au_ids() == AU_SETS[name]
        assert config.model.backbone == "swin_base_patch4_window7_224"
        assert (config.model.feature_dim, config.model.hidden_dim, config.model.combined_dim) == (512, 512, 1024)
        assert (config.optimiser.betas, config.optimiser.weight_decay) == ((0.9, 0.999), 5e-4)
        assert (config.run.max_epochs, config.run.batch_size) == (15, 64)
        assert (config.data.aligned_size, config.model.crop_size) == (256, 224)
        assert (config.augmentation.flip, config.augmentation.cutout, config.augmentation.grey) == (0.5, 0.5, 0)


def test_the_make_commands_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", readme)) | set(re.findall(r"^make ([a-z-]+)", readme, re.MULTILINE))
    assert {"demo", "test"} <= named
    for command in named:
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command


def test_the_links_of_the_documents_lead_somewhere():
    documents = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples" / "README.md"]
    dead = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert dead == []


def test_the_citation_is_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert [citation[key] for key in ("title", "version", "license", "abstract", "keywords")] == [
        project[key] for key in ("name", "version", "license", "description", "keywords")
    ]
    (paper,) = citation["references"]
    assert paper["title"] in (ROOT / "README.md").read_text("utf-8").replace("\n", " ")


def test_make_test_says_what_it_installs_and_for_how_long():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    done = makefile.partition("$(FULL)/.done:")[2].partition("\n\n")[0]
    assert done.index("6.6 GB") < done.index("-m venv $(FULL)\n")
    assert "https://download.pytorch.org/whl/cpu" in done
    assert "about 5 minutes" in makefile.partition("\ntest:")[2].partition("pytest")[0]


def test_the_small_network_trains_on_data_that_a_command_of_the_readme_draws():
    configuration = (ROOT / "configs" / "small.yaml").read_text("utf-8")
    manifest = configuration.partition("manifest: ../")[2].partition("\n")[0]
    readme = (ROOT / "README.md").read_text("utf-8")
    drawn = next(line for line in readme.splitlines() if line.startswith("vlfau synth data/"))
    assert manifest == f"{drawn.split()[2]}/manifest.csv"
    assert drawn.split("--size ")[1].split()[0] == configuration.partition("aligned_size: ")[2].partition("\n")[0]
    assert readme.index(drawn) < readme.index("vlfau train configs/small.yaml")


def test_the_readme_says_which_extra_what_needs():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = {line.split(" = ")[0] for line in section.splitlines() if " = [" in line}
    table = (ROOT / "README.md").read_text("utf-8").partition("| extra | needed by |")[2].partition("\n\n")[0]
    named = {
        name
        for line in table.splitlines()
        for name in line.partition("|")[2].partition("|")[0].replace("`", "").split(", ")
    }
    assert extras - {"browser", "convert", "dev", "docs", "release"} <= {name.strip() for name in named}
