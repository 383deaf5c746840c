"""The checks of a posterior, one a file."""
