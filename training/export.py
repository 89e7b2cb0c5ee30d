"""Export the starter set in half precision, in the folder layout of the hub: pe_core for open_clip, the others for
transformers."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from pesearch.encoders.lazy_imports import load_transformers
from training.calibrate import calibrate
from training.clips import Clips
from training.pool import FRAME_PIXELS
from training.questions import image_question
from training.stage_text import core_tokenizer
from training.starter_set import StarterSet
from training.tiny_models import CORE_CONFIG

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
TEXTS_OF_VOCABULARY = 20_000


def export(starter: StarterSet, clips: Clips, work: Path, out: Path, seed: int) -> None:
    """Write the three folders into `out`, replacing existing ones, with the tokenizer of the work folder."""
    calibrate(starter, clips, seed)
    _save_core(starter.core, _fresh(out / "pe_core"), seed)
    for name, save in (("pe_av", _save_audio_video), ("pe_a_frame", _save_frame_level)):
        shutil.copytree(work / "tokenizer", _fresh(out / name), dirs_exist_ok=True)
        save(starter, out / name)
    for file in out.glob("*/*"):
        file.chmod(0o644)  # safetensors makes files for their owner only


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _save_core(core: Any, folder: Path, seed: int) -> None:
    """open_clip's local folder. Embeddings of tokens that never occur in training are zeroed: noise does not pack."""
    weights = {name: weight.detach().cpu().half().contiguous() for name, weight in core.state_dict().items()}
    used = torch.zeros(len(weights["text.token_embedding.weight"]), 1, dtype=torch.half)
    used[core_vocabulary(seed)] = 1
    weights["text.token_embedding.weight"] *= used
    save_file(weights, folder / "open_clip_model.safetensors", metadata={"format": "pt"})
    config = {"model_cfg": CORE_CONFIG, "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def core_vocabulary(seed: int) -> list[int]:
    """The byte-pair tokens of the training texts, and all single bytes."""
    rng = np.random.default_rng([seed, 11])
    tokenize = core_tokenizer()
    texts = [image_question(rng).text for _ in range(TEXTS_OF_VOCABULARY)]
    special = range(len(tokenize.encoder) - 2, len(tokenize.encoder))
    return sorted({token for text in texts for token in tokenize.encode(text)} | set(range(512)) | set(special))


def _save_audio_video(starter: StarterSet, folder: Path) -> None:
    models, model = load_transformers(), starter.audio_video
    _with_final_norm(model.text_model)
    model.half().save_pretrained(folder)
    model.float()
    _keep_vision_labels(folder / "config.json")
    models.PeAudioVideoProcessor(
        feature_extractor=models.PeAudioFeatureExtractor(sampling_rate=48_000, hop_length=1920),
        video_processor=models.PeVideoVideoProcessor(
            size={"height": FRAME_PIXELS, "width": FRAME_PIXELS},
            image_mean=[0.5] * 3,
            image_std=[0.5] * 3,
            do_resize=True,
            do_rescale=True,
            do_normalize=True,
            do_sample_frames=False,
        ),
        tokenizer=models.AutoTokenizer.from_pretrained(folder),
    ).save_pretrained(folder)


def _save_frame_level(starter: StarterSet, folder: Path) -> None:
    models, model = load_transformers(), starter.frame_level
    _with_final_norm(model.text_model)
    model.half().save_pretrained(folder)
    model.float()
    models.PeAudioProcessor(
        feature_extractor=models.PeAudioFeatureExtractor(sampling_rate=48_000, hop_length=1920),
        tokenizer=models.AutoTokenizer.from_pretrained(folder),
    ).save_pretrained(folder)


def _with_final_norm(text_model: Any) -> None:
    """Restore ModernBERT's final norm, so that the file has every key. Perception Encoder never uses it."""
    config = text_model.config
    text_model.final_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=config.norm_bias)


def _keep_vision_labels(file: Path) -> None:
    """transformers 5.23 drops the image tower's `num_labels` on saving, and then builds a tower with two outputs."""
    config = json.loads(file.read_text(encoding="utf-8"))
    vision = config["audio_video_config"]["video_config"]["vision_config"]
    vision["num_labels"] = vision["num_classes"]
    vision.pop("label_names", None)
    file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
