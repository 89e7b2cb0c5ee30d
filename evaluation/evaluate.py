"""Evaluation against truths.json: retrieval per embedding space, and sound event detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.errors import LibraryError
from pesearch.evaluation.detection_eval import EventMetrics, event_metrics
from pesearch.evaluation.ground_truth import ClipTruth, JudgedClip
from pesearch.evaluation.library_clips import IndexedFiles
from pesearch.evaluation.recall import Recall, RetrievalMetrics
from pesearch.types import SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All metrics over `clips` clips. For speech, any clip in which the phrase is spoken is correct."""

    text_audio: RetrievalMetrics
    text_video: RetrievalMetrics
    text_audio_video: RetrievalMetrics
    audio_video: RetrievalMetrics
    speech: RetrievalMetrics
    events: EventMetrics
    clips: int


def evaluate(truths: Sequence[ClipTruth], library: Library, models: ModelSet) -> Evaluation:
    """Query each caption and phrase against all clips, and detect each sound in each clip.

    Raises LibraryError if a clip is not in the library, ModelMismatch if it was made with other models.
    """
    library = library.pinned()
    library.require(models.name, models.spaces)
    clips = _clips(truths, library)
    recall = Recall(clips, library, models)
    return Evaluation(
        text_audio=recall.captions(SpaceName.AUDIO, lambda truth: truth.audio_caption, ClipTruth.heard_facts),
        text_video=recall.captions(SpaceName.VIDEO, lambda truth: truth.video_caption, ClipTruth.seen_facts),
        text_audio_video=recall.captions(
            SpaceName.AUDIO_VIDEO, lambda truth: truth.caption, lambda truth: truth.heard_facts() | truth.seen_facts()
        ),
        audio_video=recall.sounds(),
        speech=recall.phrases(),
        events=event_metrics(clips, models),
        clips=len(clips),
    )


def _clips(truths: Sequence[ClipTruth], library: Library) -> list[JudgedClip]:
    indexed = IndexedFiles(library)
    judged = [JudgedClip(truth, file) for truth in truths if (file := indexed.find(truth.path))]
    if len(judged) < len(truths):
        folder = truths[0].path.parent
        raise LibraryError(
            f"{len(truths) - len(judged)} of {len(truths)} clips are not in the library {library.folder}: "
            f"run `pesearch index {folder} --library {library.folder}` first"
        )
    return judged
