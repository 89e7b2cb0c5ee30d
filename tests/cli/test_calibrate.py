"""`pesearch calibrate` on a noisy library, with constants that were measured on something else: half of the annotations
fit, the other half measure."""

from __future__ import annotations

import json
import shutil
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.weak_models import weak_library
from pesearch.encoders.model_set import ModelSet
from pesearch.matching import Matching, Placement
from pesearch.search import opening as search_opening
from pesearch.store.library import Library
from pesearch.store.recalibration import CALIBRATION_FILE, read_recalibration
from tests.cli.conftest import Run, open_once

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"

NOISE = 2.0


WRONG = Matching("other media", names=Placement(share=0.02), width_share=0.02, min_width=0.1, min_threshold=1.0)
"""The threshold at chance: half of all best moments would be answers."""


@pytest.fixture(autouse=True)
def wrong_constants(pesearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The starter models, with WRONG as their constants."""

    def open_model_set(name: str, device: str) -> ModelSet:
        models = open_once(name, device)
        changed = copy(models)
        changed.description = replace(models.description, matching=WRONG)
        return changed

    monkeypatch.setattr(search_opening, "open_model_set", open_model_set)


@pytest.fixture(scope="module")
def noisy(sample_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The sample media, with noise of twice the length of each vector."""
    return weak_library(tmp_path_factory.mktemp("noisy") / "library", sample_library, NOISE, seed=1)


@pytest.fixture
def halves(tmp_path: Path) -> list[Path]:
    """The annotations of the sample media: every second thing in one file, the others in another."""
    clips = json.loads((SAMPLES / "truths.json").read_bytes())["clips"]
    things = sorted({(kind, thing["what"]) for clip in clips for kind in ("heard", "seen") for thing in clip[kind]})
    paths = []
    for half in (0, 1):
        kept = things[half::2]
        of_half = [{**clip, "path": str(SAMPLES / clip["path"]), **_kept(clip, kept)} for clip in clips]
        paths.append(tmp_path / f"half_{half}.json")
        paths[-1].write_text(json.dumps({"clips": of_half}), encoding="utf-8")
    return paths


def _kept(clip: dict[str, Any], kept: list[tuple[str, str]]) -> dict[str, Any]:
    return {kind: [thing for thing in clip[kind] if (kind, thing["what"]) in kept] for kind in ("heard", "seen")}


def test_scores_are_fitted_to_half_of_the_truths_and_hold_on_the_other(
    pesearch: Run, noisy: Library, halves: list[Path]
) -> None:
    library = ("--library", noisy.folder)
    assert "not on this library (`pesearch calibrate`)" in pesearch("status", *library).stdout
    fitted = pesearch("calibrate", halves[0], *library)
    assert fitted.returncode == 0, fitted.stderr
    assert " judged scores, " in fitted.stdout
    assert "calibration error " in fitted.stdout
    status = json.loads(pesearch("status", "--json", *library).stdout)
    assert status["calibrated_on"].startswith("half_0.json: ")

    errors = json.loads(pesearch("eval", halves[1], "--json", *library).stdout)["calibration"]
    assert errors["library"] < errors["models"] - 0.05
    assert errors["scores"] >= 20

    for said in ("calibration removed", "no calibration"):
        assert pesearch("calibrate", "--reset", *library).stdout.startswith(said)
        assert read_recalibration(noisy.folder) is None


def test_few_judgements_change_nothing(pesearch: Run, noisy: Library, tmp_path: Path) -> None:
    path = tmp_path / "queries.json"
    path.write_text(json.dumps({"queries": [{"query": "a bell", "relevant": [str(SAMPLES / "bell.mp4")]}]}))
    result = pesearch("calibrate", path, "--library", noisy.folder)
    assert result.returncode == 1
    too_few = "too few, at least 15 are needed, 3 of answers and 3 of others"
    assert f"things  1 judged scores, 1 of them of answers: {too_few}" in result.stdout
    assert "nothing stored" in result.stdout
    figures = json.loads(pesearch("calibrate", path, "--json", "--library", noisy.folder).stdout)
    assert (figures["stored"], figures["names"]["scores"], figures["names"]["error_after"]) == (False, 1, None)
    assert not (noisy.folder / CALIBRATION_FILE).exists()


@pytest.mark.parametrize("arguments", [[], ["nowhere.json"], ["queries.json", "--reset"]])
def test_without_judgements_it_is_an_error(pesearch: Run, noisy: Library, arguments: list[str]) -> None:
    result = pesearch("calibrate", *arguments, "--library", noisy.folder)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_damaged_calibration_is_one_line(pesearch: Run, noisy: Library) -> None:
    path = noisy.folder / CALIBRATION_FILE
    path.write_text('{"names": {"slope": 1')
    try:
        checked = pesearch("doctor", "--library", noisy.folder)
        assert checked.returncode == 2
        assert "damaged  scores" in checked.stdout
        for command in (("query", "a bell"), ("status",)):
            result = pesearch(*command, "--library", noisy.folder)
            assert result.returncode == 2
            expected = f"pesearch: {path} cannot be read: delete it, or run `pesearch calibrate` again"
            assert result.stderr.splitlines()[-1] == expected
        assert "damaged calibration is in damaged-1" in pesearch("doctor", "--repair", "--library", noisy.folder).stdout
        assert not path.exists()
    finally:
        path.unlink(missing_ok=True)
        shutil.rmtree(noisy.folder / "damaged-1", ignore_errors=True)
