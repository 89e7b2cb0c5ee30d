"""The training loop that all stages share."""

import math
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from pesearch.store.disk.durable import write_atomically

WARM_UP = 0.03  # share of the time in which the learning rate rises
CHECKPOINT_SECONDS = 60.0
REPORT_SECONDS = 20.0


class Means:
    """Running means of a step's losses, for the progress line."""

    def __init__(self, *names: str) -> None:
        self._means = dict.fromkeys(names, 0.0)

    def add(self, *values: Tensor) -> None:
        for name, value in zip(self._means, values, strict=True):
            self._means[name] += 0.02 * (value.item() - self._means[name])

    def __str__(self) -> str:
        return " ".join(f"{name} {value:.4f}" for name, value in self._means.items())


def train(
    name: str,
    parameters: Iterable[nn.Parameter],
    loss: Callable[[], Tensor],
    minutes: float,
    learning_rate: float,
    on_checkpoint: Callable[[], None] | None = None,
    means: Means | None = None,
) -> int:
    """Minimise `loss` with AdamW for `minutes`, with a cosine learning rate. Returns the number of steps.

    `loss` draws its own batch; `on_checkpoint` saves, every minute and at the end. Progress goes to stderr.
    """
    chosen = [parameter for parameter in parameters if parameter.requires_grad]
    matrices = [parameter for parameter in chosen if parameter.ndim > 1]
    others = [parameter for parameter in chosen if parameter.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}], betas=(0.9, 0.98)
    )
    start = reported = saved = time.monotonic()
    steps, mean = 0, 0.0
    while (elapsed := time.monotonic() - start) < minutes * 60:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * schedule(elapsed / (minutes * 60))
        value = loss()
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(chosen, 1.0)
        optimiser.step()
        steps += 1
        mean += (value.item() - mean) / min(steps, 50)
        now = time.monotonic()
        if now - reported > REPORT_SECONDS:
            print(f"{name} {elapsed:5.0f} s step {steps} loss {mean:.4f} {means or ''}", file=sys.stderr, flush=True)
            reported = now
        if on_checkpoint and now - saved > CHECKPOINT_SECONDS:
            on_checkpoint()
            saved = now
    if on_checkpoint:
        on_checkpoint()
    return steps


def schedule(done: float) -> float:
    """The share of the learning rate when a share `done` of the time has passed: linear warm-up, then a cosine."""
    return min(done / WARM_UP, 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))) + 1e-3


def save_weights(module: nn.Module, file: Path) -> None:
    """Write the weights of a module atomically."""
    write_atomically(file, lambda sink: torch.save(module.state_dict(), sink), durable=False)


def load_weights(module: nn.Module, file: Path) -> None:
    """Load weights written by `save_weights`. All keys must match, except that those of a probe may be left over."""
    weights = torch.load(file, weights_only=True, map_location="cpu")
    wanted = module.state_dict().keys()
    module.load_state_dict({name: w for name, w in weights.items() if name in wanted or not name.startswith("probe.")})
