"""Any sequence of changes has the same result in the library and in its twin."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.client import close, server_version
from pesearch.store.index.milvus.named_addresses import remember
from pesearch.store.library import create_library
from pesearch.store.write.writer import Writer
from tests.store.contents import SPACES, encoded, failure, location, queries
from tests.store.policies import ask_milvus, compress_without_loss, on_milvus
from tests.store.twin import Twin

PATHS = st.sampled_from(["/a", "/b", "/c", "/d"])
CONTENTS = st.sampled_from(["one", "two", "three", "nothing"])
TIMES = st.integers(1, 2)
FILES = st.builds(
    lambda path, content, time, steps, codec: encoded(
        path, content, rows=0 if content == "nothing" else 3, modified_ns=time, steps=steps, codec=codec
    ),
    PATHS,
    CONTENTS,
    TIMES,
    st.sampled_from([0, 5]),
    st.sampled_from(["one codec", "another"]),
)
FAILURES = st.builds(failure, PATHS, st.sampled_from(["empty", "not media"]), TIMES)


class LibraryAndTwin(RuleBasedStateMachine):
    """A change is the same number of generations in both; compaction when a writer ends adds some to the library."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.library = create_library(Path(self.folder.name) / "library", "made-up", SPACES)
        self.twin = Twin()

    def teardown(self) -> None:
        self.folder.cleanup()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        with self.library.writer() as writer:
            self.before, self.twin_before = self.library.generation(), self.twin.generation()
            yield writer

    @rule(batch=st.lists(FILES, max_size=4))
    def add(self, batch: list) -> None:
        with self.writing() as writer:
            assert writer.add(batch) - self.before == self.twin.add(batch) - self.twin_before

    @rule(failures=st.lists(FAILURES, max_size=3))
    def fail(self, failures: list) -> None:
        with self.writing() as writer:
            assert (
                writer.record_failures(*failures) - self.before
                == self.twin.record_failures(*failures) - self.twin_before
            )

    @rule(path=PATHS, time=TIMES, choice=st.integers(0, 3))
    def add_location(self, path: str, time: int, choice: int) -> None:
        files = self.twin.files()
        if choice < len(files):
            with self.writing() as writer:
                place, file_id = location(path, time), files[choice].id
                done = writer.add_locations([(file_id, place)])
                assert done - self.before == self.twin.add_locations([(file_id, place)]) - self.twin_before

    @rule(paths=st.sets(PATHS))
    def forget(self, paths: set[str]) -> None:
        with self.writing() as writer:
            assert (
                writer.forget(map(Path, paths)) - self.before == self.twin.forget(map(Path, paths)) - self.twin_before
            )

    @rule(file_ids=st.sets(st.integers(1, 6), max_size=2))
    def remove(self, file_ids: set[int]) -> None:
        with self.writing() as writer:
            assert writer.remove(file_ids) - self.before == self.twin.remove(file_ids) - self.twin_before

    @invariant()
    def same_answers(self) -> None:
        assert self.library.generation() >= self.twin.generation()
        assert self.library.known() == self.twin.known()
        assert self.library.files() == self.twin.files()
        assert self.library.failures() == self.twin.failures()

    @invariant()
    def same_features(self) -> None:
        for file in self.twin.files():
            ours, twins = self.library.features(file.id, 1, 4), self.twin.features(file.id, 1, 4)
            assert (ours is None) == (twins is None)
            if ours is not None and twins is not None:
                assert ours.codec == twins.codec
                np.testing.assert_array_equal(ours.steps, twins.steps)

    @invariant()
    def same_hits(self) -> None:
        for space in SPACES:
            ours = self.library.search(space.name, queries(space), 5)
            twins = self.twin.search(space.name, queries(space), 5)
            for hits, expected in zip(ours, twins, strict=True):
                assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], rel=1e-5)
                assert [(hit.file_id, hit.start_seconds, hit.rank) for hit in hits] == [
                    (hit.file_id, hit.start_seconds, hit.rank) for hit in expected
                ]


class CompressedAndTwin(LibraryAndTwin):
    """The same with compressed indexes."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        compress_without_loss(self.patch)

    def teardown(self) -> None:
        self.patch.undo()
        super().teardown()


class MilvusAndTwin(LibraryAndTwin):
    """The same for a library on a Milvus."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        ask_milvus(self.patch)
        self.milvus = MilvusAddress(str(Path(self.folder.name) / "lite.db"))
        remember(self.milvus)
        server_version(self.milvus)
        on_milvus(self.library, self.milvus)

    def teardown(self) -> None:
        close(self.milvus)
        self.patch.undo()
        super().teardown()


SETTINGS = settings(
    max_examples=5,
    stateful_step_count=8,
    deadline=None,
    phases=[Phase.generate],  # shrinking would take minutes
)
TestLibraryAndTwin = LibraryAndTwin.TestCase
TestLibraryAndTwin.settings = SETTINGS
TestCompressedAndTwin = CompressedAndTwin.TestCase
TestCompressedAndTwin.settings = SETTINGS
if find_spec("milvus_lite"):
    TestMilvusAndTwin = MilvusAndTwin.TestCase
    TestMilvusAndTwin.settings = settings(SETTINGS, max_examples=2)
