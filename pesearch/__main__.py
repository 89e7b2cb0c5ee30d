"""`python -m pesearch` is the command `pesearch`."""

from pesearch.cli.main import main

main()
