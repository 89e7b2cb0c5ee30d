"""Status of models in a cache of the hub's layout, and `pull` from a hub on this machine."""

import json
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from huggingface_hub import constants

from pesearch.encoders import hub as hub_module
from pesearch.encoders.hub import find_model_folders, pull, status
from pesearch.encoders.model_registry import ModelSetDescription, ModelSource, describe
from pesearch.errors import ModelDamaged, ModelError, ModelMissing

CONFIG = json.dumps({"text_config": {"hidden_size": 1024}}).encode()
FILES = {
    "pe_core": {
        "open_clip_config.json": json.dumps({"model_cfg": {"embed_dim": 1024}}).encode(),
        "open_clip_model.safetensors": b"weights",
        "open_clip_pytorch_model.bin": b"code may hide here",
    },
    "pe_av": {
        "config.json": CONFIG,
        "tokenizer.json": b"{}",
        "tokenizer_config.json": b"{}",
        "processor_config.json": b"{}",
        "model.safetensors.index.json": json.dumps(
            {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
        ).encode(),
        "model-1-of-2.safetensors": b"weights",
        "model-2-of-2.safetensors": b"more",
        "pytorch_model.bin": b"code may hide here",
        "README.md": b"# PE-AV",
    },
    "pe_a_frame": {
        "config.json": CONFIG,
        "tokenizer.json": b"{}",
        "tokenizer_config.json": b"{}",
        "model.safetensors": b"weights",
    },
}


def small_sizes(name: str) -> ModelSetDescription:
    """A registered set whose models claim almost no disk space."""
    known = describe(name)
    frames, windows, events = (replace(source, size_bytes=100) for source in known.sources)
    return replace(known, frames=frames, windows=windows, events=events)


LIGHT = small_sizes("light")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tmp_path / "hub"


def snapshot(cache: Path, source: ModelSource, revision: str | None = None) -> Path:
    return cache / f"models--{source.repo.replace('/', '--')}" / "snapshots" / (revision or source.revision)


def fill(folder: Path, part: str) -> None:
    folder.mkdir(parents=True)
    for name, content in FILES[part].items():
        (folder / name).write_bytes(content)


def test_an_empty_cache_has_no_models(cache: Path) -> None:
    assert [(state.complete, state.present_bytes, state.folder) for state in status(LIGHT)] == [(False, 0, None)] * 3
    with pytest.raises(
        ModelMissing, match=r"not on this machine: fetch it with `pesearch models pull light` \(0.00 GB; "
    ):
        find_model_folders(LIGHT)


def test_complete_models_are_found_with_their_revisions(cache: Path) -> None:
    for source in LIGHT.sources:
        fill(snapshot(cache, source), source.part)
    assert all(state.complete and state.present_bytes > 20 for state in status(LIGHT))
    folders = find_model_folders(LIGHT)
    assert folders.windows.path == snapshot(cache, LIGHT.windows)
    assert [folder.revision for folder in (folders.frames, folders.windows, folders.events)] == [
        source.revision for source in LIGHT.sources
    ]
    assert folders.frames.dim == folders.windows.dim == 1024


def test_a_missing_shard_or_a_broken_link_makes_a_model_incomplete(cache: Path) -> None:
    folder = snapshot(cache, LIGHT.windows)
    fill(folder, "pe_av")
    assert status(LIGHT)[1].complete
    shard = folder / "model-2-of-2.safetensors"
    shard.unlink()
    assert not status(LIGHT)[1].complete
    shard.symlink_to(cache / "blobs" / "gone")
    assert not status(LIGHT)[1].complete


def test_a_branch_is_resolved_to_its_revision(cache: Path) -> None:
    source = replace(LIGHT.events, revision="main")
    fill(snapshot(cache, source, "c0ffee"), "pe_a_frame")
    reference = snapshot(cache, source).parents[1] / "refs" / "main"
    reference.parent.mkdir()
    reference.write_text("c0ffee")
    assert status(replace(LIGHT, events=source))[2].complete


def test_another_vector_dimension_is_damage(cache: Path) -> None:
    for source in LIGHT.sources:
        fill(snapshot(cache, source), source.part)
    (snapshot(cache, LIGHT.windows) / "config.json").write_text('{"text_config": {"hidden_size": 512}}')
    with pytest.raises(ModelDamaged, match="512 dimensions, not 1024"):
        find_model_folders(LIGHT)


def test_offline_mode_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelMissing, match="HF_HUB_OFFLINE is set"):
        pull(LIGHT, lambda source: None)


def test_room_for_all_models_is_needed_before_anything_is_fetched(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for each of the two that are missing, but not for both; the one on disk needs none."""
    fill(snapshot(cache, LIGHT.events), "pe_a_frame")
    announced: list[ModelSource] = []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 10**9))
    frames, windows = (replace(source, size_bytes=2 * 10**9) for source in LIGHT.sources[:2])
    large = replace(LIGHT, frames=frames, windows=windows, events=replace(LIGHT.events, size_bytes=10**18))
    with pytest.raises(ModelError, match=r"^4\.00 GB are needed, but .* has 3\.00 GB free: make room"):
        pull(large, announced.append)
    assert announced == []


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_hub_out_of_reach_is_reported_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_silent: bool
) -> None:
    """A port where nothing listens, and a server that never answers: without retries or a line of the hub."""
    monkeypatch.setattr(hub_module, "HUB_TIMEOUT_SECONDS", 0.5)
    announced: list[ModelSource] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        if not is_silent:
            server.close()
        started = time.monotonic()
        with pytest.raises(ModelMissing, match=r"^timm/PE-Core-B-16 was not fetched: .*cannot be reached \(") as caught:
            pull(LIGHT, announced.append)
    assert time.monotonic() - started < 3
    assert "\n" not in str(caught.value)
    assert (announced, caplog.text) == ([], "")


class Hub(BaseHTTPRequestHandler):
    """The part of the hub's HTTP interface that a download uses, serving FILES."""

    requested: list[str]

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        path = urlsplit(self.path).path
        source = next((source for source in LIGHT.sources if f"/{source.repo}/" in path), None)
        files = FILES[source.part] if source else {}
        name = path.rpartition("/")[2]
        if source and path == f"/api/models/{source.repo}/tree/{source.revision}":
            entries = [{"type": "file", "path": n, "size": len(c), "oid": f"oid-{n}"} for n, c in files.items()]
            self.send(200, json.dumps(entries).encode(), "application/json", with_body, name)
        elif source and path == f"/{source.repo}/resolve/{source.revision}/{name}" and name in files:
            if with_body:
                self.requested.append(name)
            self.send(200, files[name], "application/octet-stream", with_body, name, source.revision)
        else:
            self.send(404, b"{}", "application/json", with_body, name)

    def send(self, code: int, body: bytes, kind: str, with_body: bool, name: str, commit: str = "") -> None:
        self.send_response(code)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "ETag": f'"oid-{name}"'}
        for header, value in (headers | {"X-Repo-Commit": commit}).items():
            self.send_header(header, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A hub on this machine; the list of files that were fetched from it."""
    requested: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneHub", (Hub,), {"requested": requested}))
    address = f"http://127.0.0.1:{server.server_port}"
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield requested
    server.shutdown()
    thread.join()
    server.server_close()


def test_pull_fetches_missing_files_and_none_that_could_run_code(hub: list[str], cache: Path) -> None:
    fill(snapshot(cache, LIGHT.events), "pe_a_frame")
    announced: list[ModelSource] = []
    pull(LIGHT, announced.append)
    assert announced == [LIGHT.frames, LIGHT.windows]
    safe = {name for part in ("pe_core", "pe_av") for name in FILES[part]} - {
        "pytorch_model.bin",
        "open_clip_pytorch_model.bin",
        "README.md",
    }
    assert sorted(hub) == sorted(safe)
    assert find_model_folders(LIGHT).frames.path == snapshot(cache, LIGHT.frames)
    pull(LIGHT, announced.append)
    assert len(announced) == 2


def test_a_missing_repository_is_reported_in_one_line(hub: list[str]) -> None:
    elsewhere = replace(LIGHT, frames=replace(LIGHT.frames, repo="nobody/nothing"))
    with pytest.raises(ModelMissing, match="nobody/nothing was not fetched") as caught:
        pull(elsewhere, lambda source: None)
    assert "\n" not in str(caught.value)
