"""Lines of `pesearch status` and `doctor` for drives and vector servers that are not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from pesearch.cli.doctor_command import check_vector_server
from pesearch.cli.status_command import scores_line, status_lines
from pesearch.errors import VectorServerError
from pesearch.indexer.volumes import OfflineFiles
from pesearch.locations import Absence, Location
from pesearch.matching import Recalibration
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.sync import MilvusState
from pesearch.store.library import Library
from pesearch.store.status import LibraryStatus
from pesearch.types import Failure, MediaKind, SpaceName
from tests.cli.conftest import Run

SERVER = MilvusAddress("http://host:19530")


def test_status_leaves_out_absences_that_no_longer_hold(
    pesearch: Run, sample_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = {
        tmp_path: Absence.MISSING,
        tmp_path / "gone.mp4": Absence.MISSING,
        tmp_path / "removed.mp4": Absence.EXCLUDED,
    }
    monkeypatch.setattr(Library, "absences", lambda _: recorded)
    status = json.loads(pesearch("status", "--library", sample_library.folder, "--json").stdout)
    assert (status["missing"], status["excluded"]) == ([str(tmp_path / "gone.mp4")], [])


def test_status_names_offline_drives_and_failures() -> None:
    status = LibraryStatus(
        generation=7, model_set="starter", files=3, files_by_kind={MediaKind.VIDEO: 3, MediaKind.AUDIO: 0}, hours=1.5,
        vectors={SpaceName.FRAME: 9}, policies={}, cues=4, failures=1, remarks=0, size_bytes=2_000_000, quarantines={},
        missing_shards={},
    )  # fmt: skip
    offline = [OfflineFiles(2, Path("/mnt/a"), None), OfflineFiles(1, Path("/mnt/b"), Path("/mnt/c"))]
    failures = [Failure(Location(Path("/x\n.mp4"), 1, 1), "empty file")]
    absences = {Path(f"/m/{number}.mp4"): Absence.MISSING for number in range(21)} | {Path("/e.mp4"): Absence.EXCLUDED}
    assert list(status_lines(Path("/lib"), status, failures, offline, absences, None)) == [
        "library     /lib (2.0 MB, generation 7)",
        "models      starter, float32 on this CPU",
        "scores      measured on generated clips and noise on their vectors (benchmarks.separation), "
        "not on this library (`pesearch calibrate`)",
        "files       3 (3 video), 1.5 h",
        "vectors     9 frame",
        "cues        4",
        "offline     2 files on the drive last seen at /mnt/a: not connected",
        "            1 files on the drive last seen at /mnt/b: now mounted at /mnt/c, run `pesearch index` there",
        "missing     21 (`pesearch remove --missing` removes them)",
        *(f"  /m/{number}.mp4" for number in range(20)),
        "  and 1 more (--json lists all)",
        "excluded    1 (`pesearch remove --excluded` removes them)",
        "  /e.mp4",
        "failed      1",
        "  /x\\n.mp4: empty file",
    ]


def test_status_says_whether_anybody_measured_the_models() -> None:
    assert scores_line("small", None) == "uncalibrated: never measured with these models (`pesearch calibrate`)"
    assert scores_line("starter", None).startswith("measured on ")
    assert scores_line("of another program", None).startswith("uncalibrated: ")
    assert scores_line("small", Recalibration("judged.json")) == "calibrated for this library on judged.json"


class Searched:
    """As a library whose vectors a server searches, in a given state."""

    def __init__(self, state: MilvusState | VectorServerError | None) -> None:
        self._state = state

    def milvus_state(self) -> MilvusState | None:
        if isinstance(self._state, VectorServerError):
            raise self._state
        return self._state


@pytest.mark.parametrize(
    ("state", "is_served", "output"),
    [
        (None, True, ""),
        (VectorServerError("no answer"), False, "offline  milvus   no answer\n"),
        (
            MilvusState(SERVER, "2.5", {SpaceName.FRAME: (4, 4)}), True,
            "ok       milvus   milvus:http://host:19530: version 2.5, 4 rows of this library\n",
        ),
        (
            MilvusState(SERVER, "2.5", {SpaceName.FRAME: (4, 4), SpaceName.AUDIO: (1, 3)}), False,
            "damaged  milvus   audio: 1 of 3 rows: `pesearch gc` refills it\n"
            "ok       milvus   milvus:http://host:19530: version 2.5, 5 rows of this library\n",
        ),
    ],
)  # fmt: skip
def test_doctor_reports_the_vector_server(
    state: Any, is_served: bool, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_vector_server(cast("Library", Searched(state))) is is_served
    assert capsys.readouterr().out == output
