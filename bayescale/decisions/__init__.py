"""Decisions: what to fund, where to put the compute, which run to make first."""
