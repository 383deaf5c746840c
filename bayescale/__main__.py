"""Run the command line with `python -m bayescale`."""

from bayescale.cli import main

main()
