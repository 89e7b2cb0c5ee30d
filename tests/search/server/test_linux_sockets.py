"""What the server needs of Linux still is as it expects."""

import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pesearch.search.server.linux_sockets import path_in_open_folder, peer_user_id


def test_the_kernel_reports_the_user_of_the_peer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_user_id(ours) == os.geteuid()
        process, user, group = struct.unpack("3i", ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        assert (process, user, group) == (os.getpid(), os.geteuid(), os.getegid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process of another user")
def test_the_kernel_reports_another_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    address, other = str(tmp_path / "socket"), 12_345
    code = f"import os, socket\nos.setuid({other})\ns = socket.socket(socket.AF_UNIX)\ns.connect('x')\ns.recv(1)"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        Path(address).chmod(0o666)
        listener.listen()
        descriptor = os.open(tmp_path, os.O_RDONLY)
        connect = path_in_open_folder(descriptor, "socket")
        client = subprocess.Popen([sys.executable, "-c", code.replace("'x'", repr(connect))], pass_fds=[descriptor])
        listener.settimeout(60)
        connection, _ = listener.accept()
        with connection:
            assert peer_user_id(connection) == other
        assert client.wait(60) == 0
        os.close(descriptor)


def test_a_path_through_an_open_folder_is_short_and_survives_a_replaced_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        address = path_in_open_folder(descriptor, "socket")
        assert len(address) < 107 < len(str(folder))
        folder.rename(tmp_path / "moved")
        folder.mkdir()
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind(address)
            listener.listen()
            client.connect(address)
        assert (tmp_path / "moved" / "socket").is_socket()
        assert not list(folder.iterdir())
    finally:
        os.close(descriptor)
        shutil.rmtree(tmp_path / "moved")
