"""The names under which PE-AV keeps what it learned for texts and each space."""

from __future__ import annotations

from collections.abc import Mapping

from pesearch.types import SpaceName

TEXT_HEADS: Mapping[SpaceName, str] = {
    SpaceName.AUDIO: "audio_model.text_audio",
    SpaceName.VIDEO: "video_model.text_video",
    SpaceName.AUDIO_VIDEO: "text_audio_video",
}
"""Beginning of the names of a head (`_head`), and of the scale and bias of its scores (`_logit_scale`, ...)."""


def calibrated_pair(space: SpaceName, query_space: SpaceName | None) -> str | None:
    """Beginning of the names of the scale and bias for a query of `space` by a text, or by a vector of `query_space`;
    None if none were learned."""
    if query_space is None:
        return TEXT_HEADS[space]
    return "audio_video" if {space, query_space} == {SpaceName.AUDIO, SpaceName.VIDEO} else None
