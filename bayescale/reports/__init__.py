"""Reports: one HTML file that opens without a network, for the person who decides."""

from __future__ import annotations

from bayescale.reports.report import write_report

__all__ = ["write_report"]
