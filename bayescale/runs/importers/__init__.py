"""Logs of training jobs, of whatever program, as metrics by step: one file a kind of log."""
