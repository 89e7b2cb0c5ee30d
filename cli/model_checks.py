"""What `pesearch doctor` reports of model sets."""

from __future__ import annotations

from collections.abc import Iterator


def model_lines() -> Iterator[str]:
    """The model sets, and for those not installed the command that downloads them. Raises ModelError."""
    from pesearch.cli.render import format_size
    from pesearch.encoders.hub import is_installed
    from pesearch.encoders.model_registry import MODEL_SETS

    for name, description in MODEL_SETS.items():
        hint = f" (pesearch models pull {name}: {format_size(description.size_bytes)})"
        yield f"ok       model    {name}" if is_installed(description) else f"absent   model    {name}{hint}"


def shared_models(model_set: str) -> str:
    """The parts of a model set that two models share because their weights are equal."""
    from pesearch.encoders.model_set import open_model_set

    models = open_model_set(model_set, "cpu")
    towers = "one image tower for frames and windows" if models.shares_tower() else "separate image tower for frames"
    codecs = "one audio codec for windows and events" if models.shares_codec() else "separate audio codec for events"
    return f"{model_set}: {towers}, {codecs}"


def query_models(model_set: str) -> str:
    """Whether queries need torch, whose import takes most of their time."""
    from pesearch.encoders.model_set import open_model_set

    models = open_model_set(model_set)
    if models.device_kind != "cpu":
        return f"texts are encoded on {models.device}"
    reasons = models.torch_reasons()
    with_torch = ", ".join(f"{part} ({reason})" for part, reason in reasons.items())
    return f"texts start slowly, with torch: {with_torch}" if reasons else "texts are encoded without torch"
