from tests.paper.built_runs import Data, write_ablation
from vlfau.cli.report import report


def test_the_command_says_where_the_page_is_and_what_is_left_out(tmp_path, capsys):
    data = Data(tmp_path / "data", synthetic=False, description="a laboratory")
    write_ablation(tmp_path / "runs", data, seeds=(1,))
    for file in tmp_path.rglob("answers.npz"):
        file.unlink()
    assert report(tmp_path / "runs", tmp_path / "out") == 0
    said = capsys.readouterr()
    assert "report.html" in said.out.replace("\n", "")
    assert "All results were measured on real faces." in said.out
    assert "Figure 4 is omitted" in said.err
    assert "Figure 5 is omitted" in said.err
    assert "a laboratory" in (tmp_path / "out" / "tables" / "other1-ablation.md").read_text(encoding="utf-8")
