"""`pesearch index --ray` where it cannot be: one line that says what to do. Where it can: tests/indexer/cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_RAY = "import sys; sys.modules['ray'] = None; from pesearch.cli.main import main; main()"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--ray", "auto"], "--ray needs Ray, which is not installed: pip install 'pesearch[cluster]'"),
        (["--ray", "auto", "--watch"], "--watch looks for single new files"),
        (["--staging", "file:///tmp"], "--staging is where workers of --ray leave what they make"),
    ],
)
def test_one_line(tmp_path: Path, sample_media: Path, arguments: list[str], line: str) -> None:
    command = ["index", sample_media, "--model", "starter", "--library", tmp_path / "library", *arguments]
    result = subprocess.run([sys.executable, "-c", WITHOUT_RAY, *command], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stdout == ""
    told = [each for each in result.stderr.splitlines() if each.startswith("pesearch: ")]
    assert len(told) == 1
    assert line in told[0]
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "library").exists()
