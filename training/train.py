"""Trains the starter set from nothing: python -m training.train --out DIR --work DIR [--device cpu] [--minutes 100]

Each stage keeps its weights in the work folder, so an interrupted run goes on where it was, and stages that do not need
each other can run side by side (`--only codec` in one process, `--only vision` in another).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pesearch.errors import PesearchError
from training.clips import Clips, cache_codec, cache_vision, open_clips
from training.export import export
from training.pool import Pool, open_pool, render_pool
from training.stage_audio import train_audio
from training.stage_codec import train_codec
from training.stage_events import train_events
from training.stage_fusion import train_fusion
from training.stage_text import train_core_text, train_text
from training.stage_video import train_video
from training.stage_vision import train_vision
from training.starter_set import StarterSet, build, load_stages
from training.tiny_models import choose_device


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the trainer, as the command line asked for it."""

    out: Path
    work: Path
    device: torch.device
    seed: int
    scenes: int

    def pool(self) -> Pool:
        return open_pool(self.work / "pool")

    def clips(self, with_vision: bool = True) -> Clips:
        return open_clips(self.pool(), self.work, with_vision)

    def starter(self) -> StarterSet:
        return load_stages(build(self.seed, self.device, self.work), self.work)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the training, with its share of the minutes; those without a share take what they need."""

    share: float
    do: Callable[[Run, float], object]


def _codec(run: Run, minutes: float) -> None:
    encoder = run.starter().audio_video.audio_model.audio_encoder
    train_codec(encoder.embedder, run.pool(), run.work, minutes, run.seed)


def _core_text(run: Run, minutes: float) -> None:
    train_core_text(run.starter().core, run.work, minutes, run.seed)


def _text(run: Run, minutes: float) -> None:
    starter = run.starter()
    train_text(starter.audio_video, starter.tokenizer, run.work, minutes, run.seed)


def _audio(run: Run, minutes: float) -> None:
    starter = run.starter()
    train_audio(starter.audio_video, starter.frame_level, run.clips(False), run.work, minutes, run.seed)


def _fusion(run: Run, minutes: float) -> None:
    starter = run.starter()
    train_fusion(starter.audio_video, starter.tokenizer, run.clips(), run.work, minutes, run.seed)


def _events(run: Run, minutes: float) -> None:
    starter = run.starter()
    train_events(starter.frame_level, starter.tokenizer, run.clips(False), run.work, minutes, run.seed)


STAGES = {
    "pool": Stage(0.0, lambda run, _: render_pool(run.work / "pool", run.scenes)),
    "codec": Stage(0.20, _codec),
    "vision": Stage(0.22, lambda run, minutes: train_vision(run.starter().vision, run.pool(), run.work, minutes, run.seed)),
    "text": Stage(0.10, _text),
    "core_text": Stage(0.04, _core_text),
    "cache_codec": Stage(
        0.0, lambda run, _: cache_codec(run.pool(), run.starter().audio_video.audio_model.audio_encoder.embedder, run.work)
    ),
    "cache_vision": Stage(0.0, lambda run, _: cache_vision(run.pool(), run.starter().vision, run.work)),
    "audio": Stage(0.23, _audio),
    "video": Stage(0.05, lambda run, minutes: train_video(run.starter().audio_video, run.clips(), run.work, minutes, run.seed)),
    "fusion": Stage(0.08, _fusion),
    "events": Stage(0.08, _events),
    "export": Stage(0.0, lambda run, _: export(run.starter(), run.clips(), run.work, run.out, run.seed)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status: 0 done, 2 error."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the starter set: pe_core, pe_av, pe_a_frame")
    parser.add_argument("--work", type=Path, required=True, help="folder for the pool and the stages' weights (about 4 GB)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--minutes", type=float, default=100.0, help="training time of all stages together (default 100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", type=int, default=4_800, help="training scenes to render (default 4800)")
    parser.add_argument("--only", choices=STAGES, nargs="+", help="only these stages; the others' results must be there")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # small layers gain nothing from a second thread; a second process does
    run = Run(options.out, options.work, choose_device(options.device), options.seed, options.scenes)
    try:
        run.work.mkdir(parents=True, exist_ok=True)
        for name in options.only or STAGES:
            print(f"stage {name}", file=sys.stderr, flush=True)
            STAGES[name].do(run, STAGES[name].share * options.minutes)
    except (PesearchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: the same command goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
