"""Where OpenTimelineIO has no wheel, all formats but EDL and OTIO are written, and these name what is missing."""

from __future__ import annotations

import pytest

from pesearch.errors import ExportError
from pesearch.export.formats import ExportFormat, render_document, render_documents
from tests.export.hostile import film


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of modules that cannot be found; the test may change it."""
    names = ["opentimelineio", "otio_cmx3600_adapter"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in names else name)
    return names


@pytest.mark.parametrize("name", [ExportFormat.EDL, ExportFormat.OTIO])
def test_what_needs_it_names_it_in_one_line(missing: list[str], name: ExportFormat) -> None:
    for render in (render_document, render_documents):
        with pytest.raises(ExportError, match="run `pip install opentimelineio otio-cmx3600-adapter`"):
            render([film(1, 2)], name)
    missing.remove("opentimelineio")
    with pytest.raises(ExportError, match="run `pip install otio-cmx3600-adapter`"):
        render_document([film(1, 2)], name)
    missing.clear()
    assert b"film.mp4" in render_document([film(1, 2)], name)


@pytest.mark.parametrize("name", sorted(set(ExportFormat) - {ExportFormat.EDL, ExportFormat.OTIO}))
def test_all_other_formats_are_written(missing: list[str], name: ExportFormat) -> None:
    assert missing and render_document([film(1, 2)], name)
