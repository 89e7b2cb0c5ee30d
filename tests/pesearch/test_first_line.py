"""The line that stands for an error of another library."""

import pytest

from pesearch.errors import first_line


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("cannot open\nbecause of this", "cannot open"),
        ("Error(s) in state_dict:\n\tsize mismatch for w\n\tand more", "Error(s) in state_dict: size mismatch for w"),
        ("ends with a colon:", "ends with a colon:"),
        ("  \n", "ValueError"),
    ],
)
def test_a_line_that_ends_with_a_colon_goes_on(message: str, line: str) -> None:
    assert first_line(ValueError(message)) == line
