"""Entry point of `python -m pesearch`, the same command as `pesearch`."""

from pesearch.cli.main import main

main()
