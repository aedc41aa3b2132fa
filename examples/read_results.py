"""Average the results of `vlfau predict` by file and face: `python examples/read_results.py results/results.csv`.

Needs the extra `tables`.
"""

import sys

import vlfau

table = vlfau.read_results(sys.argv[1])
aus = [column["name"] for column in table.attrs["columns"] if column["name"].endswith("_state")]
faces = table.dropna(subset=["face"]).groupby(["file", "face"])
shares = faces[aus].mean().rename(columns=lambda name: name.removesuffix("_state"))
print(shares.map("{:.0%}".format).T.to_string())
