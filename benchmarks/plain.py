"""Plain calls: each model as its own library loads it, with each window, frame and section passed through all of it.

Reading the file is not part of it: all sound and the sampled frames are decoded once, and windows are cut out of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.costs import Meter
from benchmarks.embedded import PHRASES, Embedded
from pesearch.encoders.lazy_imports import load_open_clip, load_transformers, suppress_output
from pesearch.encoders.overlap_add import overlap_add, overlapping_windows
from pesearch.indexer.timings import Stage
from pesearch.media.audio import read_audio
from pesearch.media.probe import probe
from pesearch.media.video import Frame, FrameReader
from pesearch.timeline import SAMPLE_RATE, STEP_SAMPLES, grid, step_count, windows
from pesearch.types import FloatArray, ImageArray, SpaceName


@dataclass(frozen=True, slots=True)
class Clip:
    """A whole short file: the sampled frames, and its sound at 48 kHz."""

    seconds: float
    frames: Sequence[Frame]
    sound: FloatArray

    def images(self, start: float, end: float) -> list[ImageArray]:
        """The frames of a window."""
        return [frame.image for frame in self.frames if start - 1e-9 <= frame.time_seconds < end - 1e-9]

    def heard(self, start: float, end: float) -> FloatArray:
        """The samples of a window."""
        return self.sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


class PlainModels:
    """PE-Core, PE-AV and PE-A-Frame of a folder; the meter records their costs.

    Without `with_video`, PE-AV is called with the sound of windows only.
    """

    def __init__(self, folder: Path, device: str, meter: Meter, *, with_video: bool = True) -> None:
        self._folder = folder
        self._with_video = with_video
        self._device = device
        self._meter = meter

    def load(self, *, frames: bool) -> None:
        """Load PE-AV and PE-A-Frame, and PE-Core when there are frames; otherwise they are loaded on first use."""
        _ = self._av, self._frame_level, self._core if frames else None

    @torch.inference_mode()
    def embed(self, path: Path) -> Embedded:
        """Encode a file: its frames, its windows, and the events in its sound."""
        with self._meter.timed(Stage.DECODE):
            clip = _read(path)
        rows: dict[SpaceName, list[FloatArray]] = {}
        for frame in clip.frames:
            rows.setdefault(SpaceName.FRAME, []).append(self._frame(frame.image))
        for start, end in windows(clip.seconds).tolist():
            images = clip.images(start, end) if self._with_video else ()
            for space, vector in self._window(images, clip.heard(start, end)).items():
                rows.setdefault(space, []).append(vector)
        return Embedded({space: np.stack(vectors) for space, vectors in rows.items()}, self._events(clip))

    def _frame(self, image: ImageArray) -> FloatArray:
        model, preprocess = self._core
        with self._meter.timed(Stage.DECODE):
            picture = preprocess(Image.fromarray(image))[None].to(self._device)
        with self._meter.timed(Stage.TOWER):
            return _numpy(model.encode_image(picture, normalize=True)[0])

    def _window(self, images: Sequence[ImageArray], sound: FloatArray) -> dict[SpaceName, FloatArray]:
        model, processor = self._av
        with self._meter.timed(Stage.DECODE):
            videos = {"videos": [torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)]} if images else {}
            inputs = self._prepared(processor, audio=[sound], **videos)
        with self._meter.timed(Stage.TRANSFORMERS):
            if not images:
                return {SpaceName.AUDIO: _numpy(model.get_audio_embeds(**inputs)[0])}
            found = model.get_audio_video_embeds(**inputs, return_audio_embeds=True, return_video_embeds=True)
            return {
                SpaceName.VIDEO: _numpy(found.video_embeds[0]),
                SpaceName.AUDIO: _numpy(found.audio_embeds[0]),
                SpaceName.AUDIO_VIDEO: _numpy(found.audio_video_embeds[0]),
            }

    def _events(self, clip: Clip) -> FloatArray:
        """Probabilities float32 [phrases, steps]; the phrases are embedded once."""
        model, processor = self._frame_level
        bounds = overlapping_windows(step_count(clip.seconds))
        with self._meter.timed(Stage.TRANSFORMERS):
            tokens = processor(text=list(PHRASES), return_tensors="pt", padding=True).to(self._device)
            states = model.text_model(**tokens, output_hidden_states=True).hidden_states[-1][:, 0]
            text = model.text_audio_head(states)
        heard: list[FloatArray] = []
        for first, last in bounds:
            with self._meter.timed(Stage.DECODE):
                inputs = self._prepared(processor, audio=[clip.sound[first * STEP_SAMPLES : last * STEP_SAMPLES]])
            with self._meter.timed(Stage.TRANSFORMERS):
                dots = text @ model.get_audio_embeds(**inputs)[0].T
                logits = dots * model.text_audio_logit_scale + model.text_audio_logit_bias
            heard.append(_numpy(logits))
        return _numpy(torch.from_numpy(np.concatenate(list(overlap_add(bounds, heard)), axis=1)).sigmoid())

    def _prepared(self, processor: Any, **media: Any) -> Any:
        return processor(**media, sampling_rate=SAMPLE_RATE, return_tensors="pt", padding=True).to(self._device)

    @cached_property
    def _core(self) -> tuple[Any, Any]:
        with suppress_output():
            model, _, preprocess = load_open_clip().create_model_and_transforms(f"local-dir:{self._folder / 'pe_core'}")
        return model.to(self._device).eval(), preprocess

    @cached_property
    def _av(self) -> tuple[Any, Any]:
        """PE-AV with the width of its video tower, which the saved configuration has under a name that loading
        ignores."""
        transformers, path = load_transformers(), self._folder / "pe_av"
        config = transformers.PeAudioVideoConfig.from_pretrained(path)
        vision = config.audio_video_config.video_config.vision_config
        vision.num_labels = getattr(vision, "num_classes", None) or vision.num_labels
        return self._loaded(transformers.PeAudioVideoModel, path, config=config)

    @cached_property
    def _frame_level(self) -> tuple[Any, Any]:
        """PE-A-Frame with the state of its text tower before the final norm, as it was trained."""
        model, processor = self._loaded(load_transformers().PeAudioFrameLevelModel, self._folder / "pe_a_frame")
        model.text_model.config.tie_last_hidden_states = False
        return model, processor

    def _loaded(self, kind: Any, path: Path, **options: Any) -> tuple[Any, Any]:
        """A model whose codec and tower are measured, and its processor."""
        with suppress_output():
            model = kind.from_pretrained(path, **options).to(self._device).eval()
            processor = load_transformers().AutoProcessor.from_pretrained(path)
        for name, module in model.named_modules():
            if name.endswith("embedder.dac_encoder"):
                self._meter.watch(module, Stage.CODEC)
            if name.endswith("embedder.vision_model"):
                self._meter.watch(module, Stage.TOWER)
        return model, processor


def _read(path: Path) -> Clip:
    info = probe(path)
    frames: list[Frame] = []
    if info.video is not None:
        with FrameReader(path) as reader:
            frames = list(reader.read(grid(0.0, info.duration_seconds)))
    return Clip(info.duration_seconds, frames, read_audio(path, 0.0, info.duration_seconds))


def _numpy(vectors: torch.Tensor) -> FloatArray:
    return vectors.float().cpu().numpy()
