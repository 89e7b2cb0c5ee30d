"""Vectors of cues: searched, removed with their source, compacted, swept and repaired like those of media."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pesearch.cues import CueKind
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.doctor import examine, repair
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.write import compaction as merging
from pesearch.types import FloatArray, SpaceName, SpaceVectors
from tests.store.catalogue.test_cues import beside, cue, inside, with_cues
from tests.store.contents import AUDIO, SPACES, vectors
from tests.store.policies import compress_without_loss
from tests.store.templates import copy_library
from tests.store.word_search import search_cues

NO_MINIMUM = np.full(1, -np.inf, np.float32)


def vector_of(text: str) -> FloatArray:
    """A unit vector that depends on the text, float32 [1, dim]."""
    vector = vectors(text, AUDIO, 1).vectors
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def embed(library: Library) -> None:
    """Embed all sources that are not embedded yet."""
    with library.writer() as writer:
        for source_id in library.cues_to_embed().ids:
            cues = [found.cue for found in library.cues_of(np.array([source_id]))]
            segments = np.array([(each.start_seconds, each.end_seconds) for each in cues])
            rows = np.concatenate([vector_of(each.text) for each in cues])
            with writer.cue_vectors() as stream:
                stream.append(int(source_id), SpaceVectors(SpaceName.CUE, segments, rows))


def nearest(library: Library, text: str, k: int = 1, file_ids: frozenset[int] | None = None) -> list[str]:
    (found,) = library.find_similar_cues(vector_of(text), NO_MINIMUM, k, file_ids)
    return [hit.cue.text for hit in found]


@pytest.fixture(scope="module")
def talking_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files with embedded cues, two of them at the same time."""
    library = create_library(tmp_path_factory.mktemp("talking") / "library", "made-up", SPACES)
    with library.writer() as writer:
        first = inside(cue("hello", 1.0), cue("world", 1.0), cue("title", 0.0, CueKind.TITLE))
        writer.add([with_cues("/a", "one", first, beside("/a", "/a.srt", cue("bonjour")))])
        writer.add([with_cues("/b", "two", inside(cue("siren"))), with_cues("/c", "three", inside())])
    embed(library)
    return library.folder


@pytest.fixture
def talking(talking_template: Path, tmp_path: Path) -> Library:
    return copy_library(talking_template, tmp_path / "library")


def test_nearest_cue_comes_first_with_its_file_and_time(talking: Library) -> None:
    for text, file_id in {"hello": 1, "world": 1, "title": 1, "bonjour": 1, "siren": 2}.items():
        (found,) = talking.find_similar_cues(vector_of(text), NO_MINIMUM, 9)
        assert (found[0].cue.text, found[0].file_id, len(found)) == (text, file_id, 5)
        assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
        min_scores = np.array([found[1].score], np.float32)
        assert [hit.rank for hit in talking.find_similar_cues(vector_of(text), min_scores, 9)[0]] == [1, 2]
    assert sorted(nearest(talking, "siren", 9, frozenset({1}))) == ["bonjour", "hello", "title", "world"]
    assert nearest(talking, "siren", 9, frozenset({3})) == []
    assert talking.rows(SpaceName.CUE) == talking.status().vectors[SpaceName.CUE] == 5
    assert SpaceName.CUE not in {space.name for space in talking.spaces}


def test_compressed_index_finds_the_same_cues(talking: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    compress_without_loss(monkeypatch)
    with talking.writer():
        pass
    compressed = open_library(talking.folder)
    assert compressed.status().policies[SpaceName.CUE].compressed_rows == 5
    assert [nearest(compressed, text) for text in ("hello", "siren")] == [["hello"], ["siren"]]


def test_milvus_finds_the_same_cues(talking: Library, milvus: MilvusAddress) -> None:
    with talking.writer() as writer:
        writer.set_vector_backend(milvus)
    searched = open_library(talking.folder)
    assert searched.status().policies[SpaceName.CUE].milvus_rows == 5
    assert [nearest(searched, text) for text in ("hello", "siren")] == [["hello"], ["siren"]]
    assert sorted(nearest(searched, "siren", 9, frozenset({1}))) == ["bonjour", "hello", "title", "world"]


def test_vectors_are_removed_with_their_source(talking: Library) -> None:
    """A sidecar that is read again must be embedded again; files may be removed."""
    sidecar = next(source for source in talking.cue_sources() if source.sidecar is not None)
    with talking.writer() as writer:
        writer.store_cues([(1, beside("/a", "/a.srt", cue("salut"), modified_ns=8))])
    assert "bonjour" not in nearest(talking, "bonjour", 9) and len(nearest(talking, "bonjour", 9)) == 4
    unembedded = talking.cues_to_embed()
    assert unembedded.ids.tolist() != [sidecar.id] and unembedded.counts.tolist() == [1]
    embed(talking)
    assert nearest(talking, "salut") == ["salut"]
    with talking.writer() as writer:
        writer.store_cues([], unembedded.ids.tolist())
        writer.remove([2])
    assert sorted(nearest(talking, "salut", 9)) == ["hello", "title", "world"]
    with talking.writer():
        assert len(list((talking.folder / "vectors" / "cue").iterdir())) == 1


def test_vectors_of_another_space_are_refused_and_known_ones_stay(talking: Library) -> None:
    with talking.writer() as writer:
        with pytest.raises(ValueError, match="fit"), writer.cue_vectors() as stream:
            stream.append(1, vectors("hello", AUDIO, 3))
        other = vectors("other", AUDIO, 3)
        with writer.cue_vectors() as stream:
            stream.append(1, SpaceVectors(SpaceName.CUE, other.segments, other.vectors))
    assert nearest(talking, "hello") == ["hello"]


def test_shards_of_cues_are_merged(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "MAX_SMALL_SHARDS", 4)
    for number in range(6):
        with library.writer() as writer:
            writer.add([with_cues(f"/{number}", f"content {number}", inside(cue(f"said {number}")))])
        embed(library)
    with library.writer():
        assert len(list((library.folder / "vectors" / "cue").iterdir())) < 6
    assert examine(library.folder).damaged == ()
    assert [nearest(library, f"said {number}") for number in range(6)] == [[f"said {number}"] for number in range(6)]


def test_damaged_shard_is_discarded_and_its_cues_embedded_again(talking: Library) -> None:
    """Media is not embedded again, and the cues are still found by their words."""
    places = [file.locations for file in talking.files()]
    for shard in (talking.folder / "vectors" / "cue").iterdir():
        shard.write_bytes(b"")
    assert len(examine(talking.folder).damaged) == 3
    assert [line.split("embeds its ")[1][0] for line in repair(talking.folder)] == ["1", "1", "1"]
    repaired = open_library(talking.folder)
    assert nearest(repaired, "hello", 9) == [] and len(repaired.cues_to_embed().ids) == 3
    assert [file.locations for file in repaired.files()] == places and len(search_cues(repaired, "hello", 9)) == 1
    embed(repaired)
    assert nearest(repaired, "hello") == ["hello"]


def test_unregistered_shards_are_swept(talking: Library) -> None:
    stray = talking.folder / "vectors" / "cue" / f"{'0' * 32}.arrow"
    stray.write_bytes(Path(next((talking.folder / "vectors" / "cue").iterdir())).read_bytes())
    with talking.writer():
        assert not stray.exists()
    assert nearest(talking, "hello") == ["hello"]
