"""Codec features on disk: round trip, ranges, codecs, what is refused, damage, sweeping."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pesearch.errors import LibraryUnavailable
from pesearch.store import generation_reader
from pesearch.store.catalogue.stamp import read_stamp
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.shards import features as feature_shards
from pesearch.types import CodecFeatures
from tests.store.contents import CODEC, SPACES, STEP_DIM, encoded, features

FINITE = st.floats(-65504, 65504, width=16)
STEPS = arrays.arrays(np.float16, st.tuples(st.integers(0, 20), st.integers(1, 3)), elements=FINITE)
CODECS = st.sampled_from(["one codec", "another"])


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library that grows with each example."""
    return create_library(tmp_path_factory.mktemp("growing") / "library", "made-up", SPACES)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record batches of 4 steps."""
    monkeypatch.setattr(feature_shards, "BATCH_STEPS", 4)


def filled(library: Library, steps: int = 10) -> Path:
    """Commit one file with features. The path of its shard."""
    with library.writer() as writer:
        writer.add([encoded("/a", "one", steps=steps)])
    (shard,) = (library.folder / "features").iterdir()
    return shard


@settings(max_examples=10, deadline=None)
@given(batch=st.lists(st.builds(CodecFeatures, CODECS, STEPS), max_size=5))
def test_round_trip(growing: Library, batch: list[CodecFeatures]) -> None:
    known = len(growing.files())
    names = [f"content {known + number}" for number in range(len(batch))]
    with growing.writer() as writer:
        writer.add([replace(encoded(f"/{n}", n, rows=0), features=each) for n, each in zip(names, batch, strict=True)])
    for file_id, expected in enumerate(batch, start=known + 1):
        kept = growing.features(file_id)
        assert (kept is None) == (len(expected.steps) == 0)
        if kept is not None:
            assert kept.codec == expected.codec
            np.testing.assert_array_equal(kept.steps, expected.steps, strict=True)


@pytest.mark.usefixtures("small_batches")
def test_any_range_over_record_batches(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one", steps=3), encoded("/b", "two", steps=11), encoded("/c", "three", steps=4)])
    wanted = features("two", 11).steps
    for start in range(-2, 14):
        for stop in range(-2, 14):
            kept = library.features(2, start, stop)
            assert kept is not None
            np.testing.assert_array_equal(kept.steps, wanted[max(start, 0) : max(stop, 0)], strict=True)


def test_steps_of_any_memory_layout(library: Library) -> None:
    wide = np.arange(48, dtype=np.float16).reshape(4, 12)
    with library.writer() as writer:
        writer.add([replace(encoded("/a", "one"), features=CodecFeatures(CODEC, wide[::2].T))])
    for _ in range(2):
        kept = library.features(1)
        assert kept is not None
        np.testing.assert_array_equal(kept.steps, wide[::2].T)
        kept.steps[:] = 0  # a copy: the shard is not changed


def test_long_file_is_written_and_read_in_parts(library: Library) -> None:
    steps = np.ones((250_000, 32), dtype=np.float16)
    file = replace(encoded("/a", "one"), features=CodecFeatures(CODEC, steps))
    tracemalloc.start()
    try:
        with library.writer() as writer:
            writer.add([file])
        written_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        kept = library.features(1, 200_000, 200_010)
        read_bytes = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert kept is not None and len(kept.steps) == 10
    assert written_bytes < steps.nbytes / 2
    assert read_bytes < steps.nbytes / 10  # the checksums of its steps are a sixteenth of them


def test_each_codec_and_dimension_has_its_own_shard(library: Library) -> None:
    wide = CodecFeatures(CODEC, np.ones((3, STEP_DIM + 1), dtype=np.float16))
    with library.writer() as writer:
        writer.add(
            [
                encoded("/a", "one", steps=2),
                encoded("/b", "two", steps=3, codec="another"),
                encoded("/c", "three", steps=4),
                replace(encoded("/d", "four"), features=wide),
            ]
        )
    assert len(list((library.folder / "features").iterdir())) == 3
    kept = [library.features(file_id) for file_id in range(1, 5)]
    assert [(each.codec, each.steps.shape) for each in kept if each is not None] == [
        (CODEC, (2, STEP_DIM)),
        ("another", (3, STEP_DIM)),
        (CODEC, (4, STEP_DIM)),
        (CODEC, (3, STEP_DIM + 1)),
    ]


def test_plain_arrow_reads_a_shard_and_its_codec(library: Library) -> None:
    table = pa.ipc.open_file(filled(library)).read_all()
    assert table.schema.field("step").type == pa.list_(pa.float16(), STEP_DIM)
    assert table.schema.metadata == {b"codec": CODEC.encode()}
    assert (table.column_names, table.num_rows) == (["step"], 10)


def test_size_on_disk_counts_features(library: Library) -> None:
    before = library.status().size_bytes
    shard = filled(library, steps=5000)
    assert library.status().size_bytes - before >= shard.stat().st_size >= 5000 * STEP_DIM * 2


def test_files_without_features_leave_no_shard(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one"), replace(encoded("/b", "two"), features=features("two", 0))])
    assert not (library.folder / "features").exists()
    assert library.features(2) is None


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_are_refused(library: Library, value: float) -> None:
    bad = features("bad", 10)
    bad.steps[9, 2] = value
    with library.writer() as writer, pytest.raises(ValueError, match="not finite"):
        writer.add([encoded("/good", "good", steps=5), replace(encoded("/bad", "bad"), features=bad)])
    assert (library.generation(), library.files(), list(library.folder.rglob("*.arrow*"))) == (0, [], [])


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, ">f2"])
def test_features_of_another_type_are_refused(library: Library, kind: str) -> None:
    bad = CodecFeatures(CODEC, features("bad", 10).steps.astype(kind))
    with library.writer() as writer, pytest.raises(ValueError, match="not float16"):
        writer.add([replace(encoded("/bad", "bad"), features=bad)])
    assert library.generation() == 0


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[:-10], "wrong size"),
        (lambda content: b"x" * len(content), "cannot be read"),
        (lambda content: content[:-200] + bytes(200), "cannot be read"),
        (lambda content: content.replace(b"step", b"stop"), "other rows"),
    ],
    ids=["torn", "other bytes", "no end", "other columns"],
)
def test_damaged_shard(library: Library, damage: Callable[[bytes], bytes], words: str) -> None:
    shard = filled(library)
    shard.write_bytes(damage(shard.read_bytes()))
    assert library.features(1, 2, 3) is None
    (found,) = library.damage()
    assert (found.path, found.shard.name, found.rows, found.lost) == (Path("/a"), shard.name, 10, 10)
    assert words in found.reason


def test_missing_shard_is_an_error_and_not_no_features(library: Library) -> None:
    filled(library).unlink()
    with pytest.raises(LibraryUnavailable, match="connect its drive"):
        library.features(1)


def test_file_that_is_removed_while_it_is_read(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that sees the new generation only after a shard of the old one was swept."""
    shard = filled(library)
    reader, before = open_library(library.folder), read_stamp(library.folder)
    with library.writer() as writer:
        writer.remove([1])
        writer.sweep()
    assert not shard.exists()
    stamps = iter([before])
    monkeypatch.setattr(generation_reader, "read_stamp", lambda folder: next(stamps, None) or read_stamp(folder))
    assert reader.features(1) is None


def test_next_writer_sweeps_the_features_of_removed_files(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/a", "one", steps=5), encoded("/b", "two", steps=5)])
        writer.add([encoded("/c", "three", steps=5)])
        writer.remove([1, 3])
    (library.folder / "features" / f"{'0' * 32}.arrow.new").write_bytes(b"half")
    (library.folder / "features" / f"{'0' * 32}.arrow").write_bytes(b"not registered")
    with library.writer():
        assert len(list((library.folder / "features").iterdir())) == 1
    kept = library.features(2)
    assert kept is not None
    np.testing.assert_array_equal(kept.steps, features("two", 5).steps)


def test_shard_of_features_that_were_known_already_is_swept(library: Library) -> None:
    shard = filled(library)
    with library.writer() as writer:
        writer.add([encoded("/copy", "one", steps=10)])
        writer.sweep()
    assert list((library.folder / "features").iterdir()) == [shard]


def test_pandas_is_not_imported(library: Library) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pesearch.store.library import open_library\n"
        "from tests.store.contents import encoded\n"
        "library = open_library(Path(sys.argv[1]))\n"
        "with library.writer() as writer:\n"
        "    writer.add([encoded('/a', 'one', steps=5)])\n"
        "assert library.features(1) is not None\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(library.folder)], check=True)
