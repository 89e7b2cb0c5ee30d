"""The trainer from scratch to exported folders, in a fraction of its time."""

from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pesearch.encoders.lazy_imports import load_open_clip, load_transformers
from training import calibrate, export, stage_codec, stage_events, tokenizer
from training.judge import judge
from training.train import STAGES, main
from training.world import write_world


@pytest.fixture
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer texts, windows and crops than for a set that anybody uses."""
    monkeypatch.setattr(tokenizer, "build_tokenizer", partial(tokenizer.build_tokenizer, texts=500))
    monkeypatch.setattr(export, "TEXTS_OF_VOCABULARY", 500)
    monkeypatch.setattr(calibrate, "WINDOWS", 32)
    monkeypatch.setattr(calibrate, "TEXTS", 64)
    monkeypatch.setattr(stage_codec, "BATCH", 2)
    monkeypatch.setattr(stage_events, "WORDINGS", 4)
    monkeypatch.setattr(stage_events, "FOREIGN", 20)


@pytest.mark.slow
@pytest.mark.usefixtures("few_samples")
def test_every_stage_runs_and_the_plain_libraries_load_the_result(tmp_path: Path) -> None:
    out, work = tmp_path / "out", tmp_path / "work"
    options = ["--scenes", "8", "--minutes", "0.002", "--device", "cpu"]
    assert main(["--out", str(out), "--work", str(work), *options]) == 0
    assert all((work / f"{name}.done").exists() for name in STAGES)
    assert sum(file.stat().st_size for file in out.rglob("*")) < 20_000_000
    for name in ("PeAudioVideoModel", "PeAudioFrameLevelModel"):
        folder = out / ("pe_av" if "Video" in name else "pe_a_frame")
        _, report = getattr(load_transformers(), name).from_pretrained(folder, output_loading_info=True)
        assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert load_open_clip().create_model(f"local-dir:{out / 'pe_core'}").visual.image_size == (64, 64)
    write_world(tmp_path / "clips", seed=3, count=4)
    figures = judge(out, tmp_path / "clips")
    assert torch.is_grad_enabled()  # as it was before
    assert 0 <= figures.text_video_r1 <= 1
    assert 0 <= figures.frame_auroc <= 1


@pytest.mark.usefixtures("few_samples")
def test_the_codec_of_an_exported_set_is_taken_over(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "encoders" / "starter"
    options = ["--out", str(tmp_path), "--work", str(tmp_path), "--codec-of", str(folder), "--device", "cpu"]
    assert main([*options, "--only", "codec"]) == 0
    taken = torch.load(tmp_path / "codec.pt", weights_only=True)
    exported = load_file(folder / "pe_av" / "model.safetensors")
    assert {name.partition(".")[0] for name in taken} == {"dac_encoder", "bottleneck"}
    for name, weight in taken.items():
        assert torch.equal(weight, exported[f"audio_model.audio_encoder.embedder.{name}"].float())
