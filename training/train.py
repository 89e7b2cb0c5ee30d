"""Train the starter set from scratch: python -m training.train --out DIR --work DIR [--device cpu] [--minutes 100]

Each stage saves its weights in the work folder. An interrupted run continues with its stage; independent stages can run
at the same time (`--only codec` in one process, `--only vision` in another). A set of a few minutes, as
`benchmarks.separation --set` compares, takes the codec of a trained one: its own would hardly hear anything.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from pesearch.errors import PesearchError
from training.clips import Clips, cache_codec, cache_vision, open_clips
from training.export import export
from training.pool import Pool, open_pool, render_pool
from training.stage_audio import train_audio
from training.stage_codec import copy_codec, train_codec
from training.stage_events import train_events
from training.stage_fusion import train_fusion
from training.stage_text import train_core_text, train_text
from training.stage_video import train_video
from training.stage_vision import train_vision
from training.starter_set import StarterSet, build, load_stages
from training.tiny_models import choose_device


@dataclass(frozen=True, slots=True)
class Run:
    """Options of a run."""

    out: Path
    work: Path
    device: torch.device
    minutes: float
    seed: int
    scenes: int
    codec_of: Path | None

    def pool(self) -> Pool:
        return open_pool(self.work / "pool")

    def clips(self) -> Clips:
        return open_clips(self.pool(), self.work)

    def starter(self) -> StarterSet:
        """The models as the finished stages have left them; torch's random numbers are seeded again for each stage."""
        starter = deepcopy(_untrained(self.seed, self.device, self.work))
        torch.manual_seed(self.seed)
        return load_stages(starter, self.work)


@lru_cache(maxsize=1)
def _untrained(seed: int, device: torch.device, work: Path) -> StarterSet:
    return build(seed, device, work)


def _pool(run: Run) -> None:
    render_pool(run.work / "pool", run.scenes)


def _codec(run: Run) -> None:
    if run.codec_of is not None:
        copy_codec(run.starter().codec, run.codec_of, run.work)
        return
    train_codec(run.starter().codec, run.pool(), run.work, 0.20 * run.minutes, run.seed)


def _vision(run: Run) -> None:
    train_vision(run.starter().vision, run.work, 0.30 * run.minutes, run.seed)


def _text(run: Run) -> None:
    starter = run.starter()
    train_text(starter.audio_video, starter.tokenizer, run.work, 0.08 * run.minutes, run.seed)


def _core_text(run: Run) -> None:
    train_core_text(run.starter().core, run.work, 0.04 * run.minutes, run.seed)


def _cache(run: Run) -> None:
    starter = run.starter()
    cache_codec(run.pool(), starter.codec, run.work)
    cache_vision(run.pool(), starter.vision, run.work)


def _audio(run: Run) -> None:
    starter = run.starter()
    train_audio(starter.audio_video, starter.frame_level, run.clips(), run.work, 0.20 * run.minutes, run.seed)


def _video(run: Run) -> None:
    train_video(run.starter().audio_video, run.clips(), run.work, 0.05 * run.minutes, run.seed)


def _fusion(run: Run) -> None:
    starter = run.starter()
    train_fusion(starter.audio_video, starter.tokenizer, run.clips(), run.work, 0.06 * run.minutes, run.seed)


def _events(run: Run) -> None:
    starter = run.starter()
    train_events(starter.frame_level, starter.tokenizer, run.clips(), run.work, 0.07 * run.minutes, run.seed)


def _export(run: Run) -> None:
    export(run.starter(), run.clips(), run.work, run.out, run.seed)


STAGES: dict[str, Callable[[Run], None]] = {
    "pool": _pool,
    "codec": _codec,
    "vision": _vision,
    "text": _text,
    "core_text": _core_text,
    "cache": _cache,
    "audio": _audio,
    "video": _video,
    "fusion": _fusion,
    "events": _events,
    "export": _export,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status: 0 done, 2 error, 130 interrupted."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)  # small layers gain nothing from a second thread; a second process does
    device = choose_device(options.device)
    run = Run(options.out, options.work, device, options.minutes, options.seed, options.scenes, options.codec_of)
    try:
        run.work.mkdir(parents=True, exist_ok=True)
        for name in options.only or STAGES:
            _do(run, name, again=bool(options.only))
    except (PesearchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: run the same command to continue", file=sys.stderr)
        return 130
    return 0


def _do(run: Run, name: str, again: bool) -> None:
    """Run a stage. A finished stage runs only when `again`, and then continues from its weights."""
    done = run.work / f"{name}.done"
    if again or not done.exists():
        print(f"stage {name}", file=sys.stderr, flush=True)
        STAGES[name](run)
        done.touch()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for pe_core, pe_av and pe_a_frame")
    parser.add_argument("--work", type=Path, required=True, help="folder for the pool and the stages (about 4 GB)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--minutes", type=float, default=100.0, help="training time of all stages (default 100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", type=int, default=7_200, help="training scenes to render (default 7200)")
    parser.add_argument("--codec-of", type=Path, metavar="DIR", help="take the codec of this set, train none")
    parser.add_argument("--only", choices=STAGES, nargs="+", help="only these stages; earlier ones must be done")
    return parser


if __name__ == "__main__":
    sys.exit(main())
