"""The audio track that a library searches: remembered, and files with another one indexed are embedded again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pesearch.audio_track import AudioTrack
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.audio_track import change_audio_track
from pesearch.store.library import Library, open_library
from pesearch.types import FloatArray, SpaceName
from tests.indexer.runs import names_by_kind, run
from tests.media.samples import ffmpeg

Sample = Callable[[str], Path]


def _two_languages(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "film.mka"
    tags = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger"]
    tones = ["-f", "lavfi", "-i", "sine=440:d=2", "-f", "lavfi", "-i", "anoisesrc=d=2:a=0.3:seed=1"]
    ffmpeg(*tones, "-map", "0", "-map", "1", *tags, "-c:a", "flac", path)
    return path


def test_another_track_is_embedded_and_remembered(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    media = tmp_path / "media"
    film = _two_languages(media)
    shutil.copy(sample("tone.wav"), media / "tone.wav")
    run(media, library, models)
    english = _sound_of(library, film)
    assert library.audio_track is None
    assert change_audio_track(library, AudioTrack("de"), [media]) == 1
    assert open_library(library.folder).audio_track == AudioTrack("de")
    assert names_by_kind(run(media, library, models)) == {"Indexed": ["film.mka"], "Unchanged": ["tone.wav"]}
    # in another batch the same sound differs by a rounding
    assert np.abs(_sound_of(library, film) - english).max() > 0.1
    assert change_audio_track(library, AudioTrack("de"), [media]) == 0
    assert change_audio_track(library, None, [tmp_path / "elsewhere"]) == 0
    assert library.audio_track is None and len(library.files()) == 2


def _sound_of(library: Library, path: Path) -> FloatArray:
    file_id = library.known()[path].file_id
    assert file_id is not None
    return library.vectors(file_id, SpaceName.AUDIO).vectors
