"""The command line where every space is searched as a large one: `python -m tests.cli.compressing ARGUMENT...`."""

import pytest

from pesearch.cli.main import main
from tests.store.policies import compress

if __name__ == "__main__":
    compress(pytest.MonkeyPatch())
    main()
