"""The real server over a real library: media by byte ranges and by id only, this machine only."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from pesearch.store.library import Library

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def get(address: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


@pytest.fixture(scope="module")
def server(sample_library: Library) -> Iterator[str]:
    """The address of a running `pesearch app`."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "pesearch",
        "app",
        "--no-browser",
        "--port",
        str(port),
        "--library",
        sample_library.folder,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                if get(f"{address}/_stcore/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def test_a_file_comes_whole_or_by_the_range_asked_for(server: str, sample_library: Library) -> None:
    file = next(file for file in sample_library.files() if file.path.name == "siren_train.mp4")
    content = file.path.read_bytes()
    status, body, headers = get(f"{server}/clip/{file.id}")
    assert (status, body) == (200, content)
    assert headers["content-type"] == "video/mp4"
    status, body, headers = get(f"{server}/clip/{file.id}", Range="bytes=100-299")
    assert (status, body) == (206, content[100:300])
    assert headers["content-range"] == f"bytes 100-299/{len(content)}"


@pytest.mark.parametrize(
    "name", ["999999", "-1", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "1%2F..%2F..%2Fpyproject.toml"]
)
def test_nothing_outside_the_library_can_be_had(server: str, name: str) -> None:
    status, body, _ = get(f"{server}/clip/{name}")
    assert status in (200, 400, 404)
    assert b"root:" not in body
    assert b"setuptools" not in body
    if status == 200:
        assert b"<title>Streamlit</title>" in body  # the page itself, which Streamlit gives for an unknown address


def test_another_host_is_refused(server: str) -> None:
    assert get(f"{server}/clip/1", Host="example.org")[0] == 400
    assert get(f"{server}/", Host="example.org")[0] == 400
