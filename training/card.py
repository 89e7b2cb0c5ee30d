"""Measure the starter set and write its model card:
python -m training.card --models encoders/starter --clips DIR --trained "..."
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from training.judge import Figures, judge
from training.pool import CLIP_SECONDS
from training.scene import TRAINING_SEEDS
from training.words import COLOURS, MOTIONS, OBJECTS, PHRASES, PLACES, SOUNDS

MEANINGS = (
    ("text_audio_r1", "text to audio: exact clip at rank 1"),
    ("text_audio_relevant1", "text to audio: a clip with all the requested sounds at rank 1"),
    ("text_video_r1", "text to video: exact clip at rank 1"),
    ("text_joint_r1", "text to audio-video: exact clip at rank 1"),
    ("audio_video_relevant1", "audio to video: a clip that shows a sounding object at rank 1"),
    ("speech_r1", "spoken phrase: a clip with it at rank 1"),
    ("frame_auroc", "PE-A-Frame: AUROC over 40 ms frames, mean over sounds"),
    ("span_iou", "PE-A-Frame: IoU of each true interval with the best detected one"),
    ("outside_auroc", "words of this world against words from outside it: AUROC of the scores"),
    ("image_r1", "PE-Core: caption to frame, exact clip at rank 1"),
    ("image_noun", "PE-Core: accuracy of the object in clips with one, by bare nouns"),
)


def card(models: Path, figures: Figures, clips: int, made_by: str, trained: str) -> str:
    """The card in Markdown."""
    sizes = {file.parent.name: file.stat().st_size for file in sorted(models.glob("*/*.safetensors"))}
    weights = "\n".join(f"| `{name}` | {size / 1e6:.1f} MB |" for name, size in sizes.items())
    measured = "\n".join(f"| {meaning} | {getattr(figures, name):.2f} |" for name, meaning in MEANINGS)
    return f"""# The starter set

Three small models with the architecture and file formats of Meta's Perception Encoder: PE-Core (`pe_core`, loaded by
open_clip), PE-AV (`pe_av`) and PE-A-Frame (`pe_a_frame`, loaded by transformers). They were trained from scratch by
`training/` in this repository, on a generated world of drawn images and synthesised sounds, so that pesearch can be
tried and tested offline. **They know only that small world.** Their results on real recordings are meaningless: use one
of the other model sets for those.

| model | weights (float16) |
|---|---|
{weights}

Licence of weights and card: Apache-2.0. The training data contains no recording, image or text of any person;
the voices are espeak-ng's.

## What they know

- sounds: {", ".join(SOUNDS)}
- objects: {", ".join(OBJECTS)}
- colours: {", ".join(COLOURS)}; motions: {", ".join(MOTIONS)}; places: {", ".join(PLACES)}
- {len(PHRASES)} spoken phrases, such as "{PHRASES[0]}"; no other words are recognised in speech

## Figures

Measured by `python -m training.judge` with plain calls of transformers and open_clip, on {clips} clips of
{CLIP_SECONDS:g} s decoded from MP4 (H.264, AAC), made by `{made_by}`. Training used scene seeds
below {TRAINING_SEEDS} only; these clips have seeds of 1000000 and more.

| task | share |
|---|---|
{measured}

## Training

{trained}

The directions of each embedding space are fixed by design (`training/directions.py`): text towers learn to map a text
to its direction, media towers a clip. The image towers of `pe_core` and `pe_av` are equal, tensor by tensor. The codec
has the architecture of Meta's DAC-VAE encoder but regresses log-mel energies; its residual units at 48 kHz are the
identity.

## Limits

The models do not understand negation, counting and temporal order. They are weakest at motion and the colours of small
objects. Texts far from the captions of `training/texts.py` may score as unknown.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: evaluates the models and writes MODEL_CARD.md into their folder."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of pe_core, pe_av and pe_a_frame")
    parser.add_argument("--clips", type=Path, required=True, help="folder made by training.world")
    parser.add_argument("--trained", required=True, help="a sentence: how long, on which machine, from which seed")
    options = parser.parse_args(arguments)
    figures = judge(options.models, options.clips)
    made_by = (options.clips / "README.txt").read_text(encoding="utf-8").splitlines()[0].partition(": ")[2]
    count = len(list(options.clips.glob("clip_*")))
    text = card(options.models, figures, count, made_by, options.trained)
    (options.models / "MODEL_CARD.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
