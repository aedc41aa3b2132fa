"""The paper's tables and figures, from evaluated runs and published scores."""

from vlfau.paper.report import ReportFiles, write_report

__all__ = ["ReportFiles", "write_report"]
