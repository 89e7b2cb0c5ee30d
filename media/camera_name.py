"""The name of a camera or recorder, from the make and the model that it states."""

from __future__ import annotations


def join_camera(make: str, model: str) -> str:
    """Make and model in one name, without naming the make twice (`Canon`, `Canon EOS 5D`)."""
    make, model = (" ".join(part.replace("\0", " ").split()) for part in (make, model))
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
