"""The real classes in small sizes: widths, time steps, and that saving loses nothing."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pesearch.encoders.lazy_imports import load_transformers
from training.export import _keep_vision_labels
from training.stage_codec import encode, prepare
from training.stage_text import text_towers
from training.tiny_models import tiny_audio_video, tiny_core, tiny_frame_level
from training.towers import codec_features_as_input, frame_vectors_as_input


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    return tiny_audio_video(90).eval()


@pytest.fixture(scope="module")
def media() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {"input_values": 0.1 * torch.randn(1, 1, 25 * 1920), "pixel_values_videos": torch.rand(1, 3, 3, 64, 64)}


@torch.no_grad()
def test_every_embedding_has_128_numbers_and_about_length_one(model: Any, media: dict[str, torch.Tensor]) -> None:
    ids = torch.tensor([[1, 40, 41, 2]])
    output = model(input_ids=ids, **media)
    for name in ("audio", "video", "audio_video", "text_audio", "text_video", "text_audio_video"):
        embedding = output[f"{name}_embeds"]
        assert embedding.shape == (1, 128)
        assert 0.3 < float(embedding.norm()) < 3


@torch.no_grad()
def test_saving_and_loading_keeps_the_outputs(model: Any, media: dict[str, torch.Tensor], tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    _keep_vision_labels(tmp_path / "config.json")
    loaded, report = load_transformers().PeAudioVideoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    wanted = model.audio_video_encoder(**media).pooler_output
    assert torch.allclose(loaded.eval().audio_video_encoder(**media).pooler_output, wanted, atol=1e-6)


@torch.no_grad()
def test_towers_on_cached_features_equal_towers_on_media(model: Any, media: dict[str, torch.Tensor]) -> None:
    audio, video = model.audio_model.audio_encoder, model.video_model.video_encoder
    prepare(audio.embedder)
    heard = audio(media["input_values"]).pooler_output
    features = encode(audio.embedder, media["input_values"][:, 0])
    tower = video.embedder.vision_model.timm_model
    vectors = torch.nn.functional.normalize(tower(media["pixel_values_videos"][0]), dim=-1)[None]
    shown = video(media["pixel_values_videos"]).pooler_output
    with codec_features_as_input(audio), frame_vectors_as_input(video):
        assert features.shape == (1, 25, 80)
        assert torch.allclose(audio(features).pooler_output, heard, atol=1e-3)
        assert torch.allclose(video(vectors).pooler_output, shown, atol=1e-4)
    assert torch.equal(audio(media["input_values"]).pooler_output, heard)


def test_the_text_towers_end_before_the_final_norm() -> None:
    model = tiny_audio_video(90).eval()
    hidden = []
    model.text_model.final_norm.register_forward_pre_hook(lambda _, inputs: hidden.append(inputs[0]))
    ids = torch.tensor([[1, 40, 41, 2]])
    with torch.no_grad():
        model.text_model(input_ids=ids)
        text_towers(model)
        after = model.text_model(input_ids=ids).last_hidden_state
    assert torch.equal(hidden[0], after)


def test_the_codec_learns_through_the_shortcut() -> None:
    torch.manual_seed(2)
    embedder = tiny_frame_level(90).audio_encoder.embedder
    prepare(embedder)
    encode(embedder, 0.1 * torch.randn(1, 4 * 1920)).square().mean().backward()
    weights = {name: p.grad for name, p in embedder.dac_encoder.named_parameters() if "block.0.res_unit" not in name}
    assert all(gradient is not None and bool(gradient.isfinite().all()) for gradient in weights.values())
    assert all(float(gradient.norm()) > 0 for gradient in weights.values() if gradient is not None)


@torch.no_grad()
def test_pe_core_embeds_pictures_and_texts_in_one_space() -> None:
    core = tiny_core().eval()
    assert core.encode_image(torch.rand(2, 3, 64, 64)).shape == (2, 128)
    assert core.encode_text(torch.ones(2, 32, dtype=torch.long)).shape == (2, 128)
