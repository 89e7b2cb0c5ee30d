"""Each system gets its own command for FFmpeg."""

from __future__ import annotations

import platform
import sys

import pytest

from pesearch.media.ffmpeg_install import libraries_advice, programs_advice


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ({"ID": "debian"}, "sudo apt-get install -y ffmpeg"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt-get install -y ffmpeg"),
        ({"ID": "fedora"}, "sudo dnf install -y ffmpeg-free"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "sudo dnf install -y ffmpeg-free"),
        ({"ID": "manjaro", "ID_LIKE": "arch"}, "sudo pacman -S ffmpeg"),
        ({"ID": "opensuse-tumbleweed", "ID_LIKE": "opensuse suse"}, "sudo zypper install ffmpeg"),
    ],
)
def test_a_distribution_gets_the_command_of_its_package_manager(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], command: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert programs_advice() == f"run `{command}`, or put a static build of ffmpeg and ffprobe on PATH"
    assert libraries_advice() == f"run `{command}`, or `pip install 'pesearch[ffmpeg]'`"


def test_an_unknown_linux_gets_no_command_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> dict[str, str]:
        raise OSError("no os-release")

    monkeypatch.setattr(sys, "platform", "linux")
    for release in (missing, lambda: {"ID": "own"}):
        monkeypatch.setattr(platform, "freedesktop_os_release", release)
        for advice in (programs_advice(), libraries_advice()):
            assert advice.startswith("install FFmpeg with its shared libraries, or ")


@pytest.mark.parametrize(("name", "command"), [("darwin", "brew install ffmpeg"), ("win32", "winget install")])
def test_systems_for_which_pyav_holds_no_libraries_that_torchcodec_finds(
    monkeypatch: pytest.MonkeyPatch, name: str, command: str
) -> None:
    monkeypatch.setattr(sys, "platform", name)
    assert programs_advice().startswith(f"run `{command}")
    assert libraries_advice().startswith(f"run `{command}") and "pesearch[ffmpeg]" not in libraries_advice()
