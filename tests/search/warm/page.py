"""A page's process as far as the socket goes: `python -m tests.search.warm.page LIBRARY` serves until its input ends.

It stands in another folder than whoever asks.
"""

import os
import sys
from pathlib import Path

from pesearch.search.opening import open_for_search
from pesearch.search.warm.server import serving_questions


def main() -> None:
    """Says a line when it serves: nothing, or why not."""
    with serving_questions(*open_for_search(Path(sys.argv[1]), "cpu")) as trouble:
        print(trouble or "", flush=True)
        os.chdir("/")
        sys.stdin.read()


if __name__ == "__main__":
    main()
