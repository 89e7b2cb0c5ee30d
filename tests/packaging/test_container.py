"""The Dockerfile and compose.yaml: not root, media read-only, and nothing that is not in the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def instructions(name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    return re.findall(rf"^{name} (.*)$", joined, re.MULTILINE)


def test_the_page_runs_as_a_user_without_rights() -> None:
    assert instructions("USER") == ["pesearch"]
    assert "--uid 1000" in DOCKERFILE
    order = [DOCKERFILE.index(name) for name in ("useradd", "USER pesearch", 'CMD ["pesearch"')]
    assert order == sorted(order)


def test_files_that_it_names_are_in_the_repository() -> None:
    for path in re.findall(r"/src/([\w./]+)", DOCKERFILE):
        assert (ROOT / path).is_file()
    install = (ROOT / "container" / "install.sh").read_text()
    profiles = re.findall(r"PROFILE=(\w+)", DOCKERFILE)
    assert "requirements/$profile.txt" in install and set(profiles) == {"cpu", "cuda"}
    assert all((ROOT / "requirements" / f"{profile}.txt").is_file() for profile in profiles)


def test_library_and_models_are_on_the_volume() -> None:
    (environment,) = instructions("ENV")
    (volume,) = instructions("VOLUME")
    assert f"PESEARCH_LIBRARY={volume}/library" in environment and f"HF_HOME={volume}/models" in environment


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_services_mount_media_read_only_and_listen_on_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    media, data = service["volumes"]
    assert media.endswith(":/media:ro") and data == "data:/data"
    assert service["ports"] == ["127.0.0.1:8501:8501"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["environment"]["PESEARCH_TOKEN"].startswith("${PESEARCH_TOKEN:?")


def test_a_gpu_is_asked_for_by_its_profile_only() -> None:
    assert "profiles" not in SERVICES["pesearch"] and "deploy" not in SERVICES["pesearch"]
    cuda = SERVICES["pesearch-cuda"]
    assert (cuda["profiles"], cuda["build"]["args"]) == (["cuda"], {"PROFILE": "cuda"})
    assert cuda["deploy"]["resources"]["reservations"]["devices"][0]["driver"] == "nvidia"


@pytest.mark.parametrize(("status", "body", "code"), [(200, b"ok", 0), (401, b"token", 0), (503, b"down", 1)])
def test_the_health_check_asks_the_page_with_its_token(status: int, body: bytes, code: int) -> None:
    paths = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        environment = {"PESEARCH_PORT": str(server.server_port), "PESEARCH_TOKEN": "secret-of-sixteen"}
        done = subprocess.run(
            [sys.executable, ROOT / "container" / "healthcheck.py"], env=environment, capture_output=True
        )
        server.shutdown()
    assert (done.returncode, paths) == (code, ["/_stcore/health?token=secret-of-sixteen"])
