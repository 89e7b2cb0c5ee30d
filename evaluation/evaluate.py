"""How well a model set finds and locates what truths.json says is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.errors import LibraryError
from pesearch.evaluation.detection_eval import EventFigures, event_figures
from pesearch.evaluation.ground_truth import ClipTruth, JudgedClip
from pesearch.evaluation.library_clips import IndexedFiles
from pesearch.evaluation.recall import Recall, RetrievalFigures
from pesearch.types import SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures over so many `clips`. Speech counts a phrase as found in any clip that says it."""

    text_audio: RetrievalFigures
    text_video: RetrievalFigures
    text_audio_video: RetrievalFigures
    audio_video: RetrievalFigures
    speech: RetrievalFigures
    events: EventFigures
    clips: int


def evaluate(truths: Sequence[ClipTruth], library: Library, models: ModelSet) -> Evaluation:
    """Asks every caption and every phrase of all the clips together, and locates every sound in each clip.

    Raises LibraryError where clips are not in the library, ModelMismatch where it is not of these models.
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
        events=event_figures(clips, models),
        clips=len(clips),
    )


def _clips(truths: Sequence[ClipTruth], library: Library) -> list[JudgedClip]:
    indexed = IndexedFiles(library)
    found = [JudgedClip(truth, file) for truth in truths if (file := indexed.at(truth.path))]
    if len(found) < len(truths):
        folder = truths[0].path.parent
        raise LibraryError(
            f"{len(truths) - len(found)} of {len(truths)} clips are not in the library {library.folder}: "
            f"run `pesearch index {folder} --library {library.folder}` first"
        )
    return found
