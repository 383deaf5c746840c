"""The checks of the linter, one a file."""
