"""Evaluate exported starter models on clips outside the training data, with plain calls of transformers and open_clip:
python -m training.judge --models encoders/starter --clips DIR, with clips made by `training.world`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pesearch.encoders.lazy_imports import load_open_clip, load_transformers
from pesearch.encoders.model_registry import describe
from pesearch.evaluation.ground_truth import ClipTruth, read_truths
from pesearch.evaluation.metrics import auroc, best_iou, first_relevant_ranks, mean, recall_at
from pesearch.media.audio import read_audio
from pesearch.media.video import FrameReader
from pesearch.search.events.postprocess import find_spans
from training.pool import CLIP_SECONDS, FRAME_TIMES
from training.words import OBJECTS, OUTSIDE, SOUNDS

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares from 0 to 1. `_r1`: the exact clip at rank 1; `_relevant1`: any clip for which the whole query is true."""

    text_audio_r1: float
    text_audio_relevant1: float
    text_video_r1: float
    text_joint_r1: float
    audio_video_relevant1: float
    speech_r1: float
    frame_auroc: float
    span_iou: float
    outside_auroc: float
    image_r1: float
    image_noun: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A decoded clip. audio: float32 [192000]; frames: uint8 [7, h, w, 3]."""

    truth: ClipTruth
    audio: Floats
    frames: NDArray[np.uint8]


@torch.inference_mode()
def judge(models: Path, clips_folder: Path) -> Figures:
    """All figures of the models in a folder on the clips of a world."""
    clips = [decode(truth) for truth in read_truths(clips_folder / "truths.json")]
    joint = _audio_video(models / "pe_av", clips)
    return Figures(**joint, **_events(models / "pe_a_frame", clips), **_images(models / "pe_core", clips))


def decode(truth: ClipTruth) -> Clip:
    """The sound of a clip and its frames at the times that indexing samples."""
    audio = read_audio(truth.path, 0.0, CLIP_SECONDS)
    frames = np.stack([frame.image for frame in FrameReader(truth.path).read(FRAME_TIMES)])
    return Clip(truth, audio, frames)


def _audio_video(folder: Path, clips: Sequence[Clip]) -> dict[str, float]:
    transformers = load_transformers()
    model = transformers.PeAudioVideoModel.from_pretrained(folder, dtype=torch.float32).eval()
    model.text_model.final_norm = torch.nn.Identity()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    audio, video, joint = _media(model, processor, clips)
    truths = [clip.truth for clip in clips]

    def ask(head: Any, texts: Sequence[str]) -> Floats:
        return _texts(model.text_model, head, processor.tokenizer, texts)

    heard = ask(model.audio_model.text_audio_head, [truth.audio_caption for truth in truths]) @ audio.T
    shown = ask(model.video_model.text_video_head, [truth.video_caption for truth in truths]) @ video.T
    both = ask(model.text_audio_video_head, [truth.caption for truth in truths]) @ joint.T
    said = sorted({line.what for truth in truths for line in truth.said})
    spoken = ask(model.audio_model.text_audio_head, said) @ audio.T
    own = np.eye(len(clips), dtype=bool)
    holding = np.array([[a.heard_facts() <= b.heard_facts() for b in truths] for a in truths])
    sharing = np.array([[bool(a.sound_sources() & b.visible_objects()) for b in truths] for a in truths])
    saying = np.array([[phrase in {line.what for line in truth.said} for truth in truths] for phrase in said])
    askable = sharing.any(axis=1)
    inside = sorted({*SOUNDS, *OBJECTS})
    best = [(ask(model.text_audio_video_head, words) @ joint.T).max(axis=1) for words in (inside, OUTSIDE)]
    return {
        "text_audio_r1": _first(heard, own),
        "text_audio_relevant1": _first(heard, holding),
        "text_video_r1": _first(shown, own),
        "text_joint_r1": _first(both, own),
        "audio_video_relevant1": _first((audio @ video.T)[askable], sharing[askable]),
        "speech_r1": _first(spoken, saying),
        "outside_auroc": auroc(np.concatenate(best), np.arange(len(inside) + len(OUTSIDE)) < len(inside)),
    }


def _media(model: Any, processor: Any, clips: Sequence[Clip]) -> tuple[Floats, Floats, Floats]:
    """Audio, video and joint embeddings, each [clips, 128]."""
    rows = []
    for clip in clips:
        inputs = processor(
            audio=[clip.audio],
            videos=[torch.from_numpy(clip.frames.transpose(0, 3, 1, 2).copy())],
            sampling_rate=48_000,
            return_tensors="pt",
        )
        state = model.audio_video_encoder(
            input_values=inputs["input_values"], pixel_values_videos=inputs["pixel_values_videos"].contiguous()
        )
        audio = model.audio_model.audio_head(state.audio_model_output.pooler_output)
        video = model.video_model.video_head(state.video_model_output.pooler_output)
        rows.append(torch.cat([audio, video, model.audio_video_head(state.pooler_output)]))
    audio, video, joint = torch.stack(rows).permute(1, 0, 2).numpy()
    return audio, video, joint


def _texts(text_model: Any, head: Any, tokenizer: Any, texts: Sequence[str]) -> Floats:
    tokens = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    state = text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state[:, 0]
    vectors: Floats = head(state).numpy()
    return vectors


def _events(folder: Path, clips: Sequence[Clip]) -> dict[str, float]:
    transformers = load_transformers()
    model = transformers.PeAudioFrameLevelModel.from_pretrained(folder, dtype=torch.float32).eval()
    model.text_model.final_norm = torch.nn.Identity()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    text = torch.from_numpy(_texts(model.text_model, model.text_audio_head, processor.tokenizer, SOUNDS))
    scores, active, overlaps = [], [], []
    threshold = describe("starter").event_threshold
    for clip in clips:
        samples = processor(audio=[clip.audio], sampling_rate=48_000, return_tensors="pt")["input_values"]
        frames = model.audio_head(model.audio_encoder(samples).last_hidden_state)[0]
        logits = frames @ text.T * model.text_audio_logit_scale + model.text_audio_logit_bias
        track = logits.sigmoid().T.numpy()
        middles = (np.arange(track.shape[1]) + 0.5) * 0.04
        true = np.zeros(track.shape, bool)
        for sound in clip.truth.heard:
            row = SOUNDS.index(sound.what)
            true[row] |= (middles >= sound.start_seconds) & (middles < sound.end_seconds)
            found = [(start * 0.04, end * 0.04) for start, end in find_spans(track[row], threshold)]
            overlaps.append(best_iou((sound.start_seconds, sound.end_seconds), found))
        scores.append(track)
        active.append(true)
    pairs = zip(np.concatenate(scores, axis=1), np.concatenate(active, axis=1), strict=True)
    return {"frame_auroc": mean(auroc(track, true) for track, true in pairs), "span_iou": mean(overlaps)}


def _images(folder: Path, clips: Sequence[Clip]) -> dict[str, float]:
    open_clip = load_open_clip()
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder.absolute()}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder.absolute()}")
    model.eval()
    middle = [Image.fromarray(clip.frames[len(clip.frames) // 2]) for clip in clips]
    images = model.encode_image(torch.stack([preprocess(image) for image in middle]), normalize=True).numpy()

    def ask(texts: Sequence[str]) -> Floats:
        vectors: Floats = model.encode_text(tokenize(list(texts)), normalize=True).numpy()
        return vectors

    captions = ask([clip.truth.video_caption for clip in clips]) @ images.T
    nouns = ask([f"a photo of a {name}" for name in OBJECTS]) @ images.T
    alone = [index for index, clip in enumerate(clips) if len(clip.truth.visible_objects()) == 1]
    named = [OBJECTS[int(nouns[:, index].argmax())] in clips[index].truth.visible_objects() for index in alone]
    return {"image_r1": _first(captions, np.eye(len(clips), dtype=bool)), "image_noun": float(np.mean(named))}


def _first(scores: Floats, relevant: NDArray[np.bool_]) -> float:
    return recall_at(first_relevant_ranks(scores, relevant), 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: prints one figure per line."""
    parser = argparse.ArgumentParser(prog="python -m training.judge", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of pe_core, pe_av and pe_a_frame")
    parser.add_argument("--clips", type=Path, required=True, help="folder made by training.world")
    options = parser.parse_args(arguments)
    for name, value in asdict(judge(options.models, options.clips)).items():
        sys.stdout.write(f"{name:24s} {value:.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
