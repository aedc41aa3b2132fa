"""The paper's tables and figures, from evaluated runs and from what others published."""

from vlfau.paper.write import Written, write_report

__all__ = ["Written", "write_report"]
