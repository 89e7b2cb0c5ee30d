"""One process serves a library, others ask it: whose answers they get, and when they do not get one."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ModelMissing, QueryError, QuerySyntaxError
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import SearchResult, search
from pesearch.search.server import client
from pesearch.search.server.client import NotServed, ask_server
from pesearch.search.server.messages import Environment, ReplyMessage
from pesearch.search.server.server import serve_queries
from pesearch.search.server.socket_path import socket_folder
from pesearch.store.library import Library, create_library
from tests.search.fake_models import FakeModels
from tests.search.server.page import REQUEST, echo, echoing, serving


@pytest.mark.slow
def test_the_result_is_that_of_a_search(runtime: Path, sample_library: Library, starter: ModelSet) -> None:
    with serving(sample_library, starter):
        answer = ask_server(sample_library.folder, REQUEST, "auto")
        missing = ask_server(sample_library.folder, SearchRequest(audio=Path("nowhere")), "auto")
    assert answer.result().matches
    assert answer.result() == search(sample_library, starter, REQUEST)
    assert answer.notice == starter.notice
    with pytest.raises(QueryError, match="cannot use nowhere as an example: no such file"):
        missing.result()


def test_an_error_of_the_query_is_raised_by_the_client(served: Path) -> None:
    answer = ask_server(served, SearchRequest("siren AND"), "auto")
    with pytest.raises(QuerySyntaxError) as caught:
        answer.result()
    assert caught.value.caret_lines()[1] == "         ^"
    assert answer.notice is None  # no model was used
    answer = ask_server(served, SearchRequest("nowhere.wav"), "auto")
    assert answer.notice == "a notice"
    with pytest.raises(QueryError, match=r"cannot use nowhere.wav as an example: no such file"):
        answer.result()


def test_file_names_may_have_invalid_utf8_and_words_may_not(served: Path) -> None:
    with pytest.raises(QuerySyntaxError, match="expected valid UTF-8"):
        ask_server(served, SearchRequest("siren \udcff"), "auto").result()
    with pytest.raises(QueryError, match="no such file"):
        ask_server(served, SearchRequest("./\udcff.wav"), "auto").result()


def test_a_library_is_found_by_any_path_to_it(served: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(served)
    assert ask_server(link, REQUEST, "cpu").result().library == link
    with pytest.raises(NotServed, match="no page is running"):
        ask_server(tmp_path, REQUEST, "auto")


def test_without_a_server_the_reason_is_given(runtime: Path, folder: Path) -> None:
    with pytest.raises(NotServed, match="no page is running"):
        ask_server(folder, REQUEST, "auto")


def test_a_server_on_another_device_declines(served: Path) -> None:
    with pytest.raises(NotServed, match="computes on cpu, not on cuda"):
        ask_server(served, REQUEST, "cuda")


def test_a_server_in_another_time_zone_declines(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = replace(Environment.current(), time_zone="Antarctica/Troll")
    monkeypatch.setattr(Environment, "current", iter([elsewhere, Environment.current()]).__next__)
    with pytest.raises(NotServed, match="time zone"):
        ask_server(served, REQUEST, "auto")


def test_a_server_with_other_models_than_the_library_declines(runtime: Path, tmp_path: Path) -> None:
    models = FakeModels()
    library = create_library(tmp_path, models.name, [replace(space, revision="other") for space in models.spaces])
    with serving(library, models), pytest.raises(NotServed, match="other models"):
        ask_server(library.folder, REQUEST, "auto")


def test_the_socket_is_private_and_removed_with_the_server(runtime: Path, folder: Path) -> None:
    with echoing(folder):
        assert (runtime / "pesearch").stat().st_mode & 0o777 == 0o700
        (made,) = (path for path in (runtime / "pesearch").iterdir() if path.is_socket())
        assert made.stat().st_mode & 0o777 == 0o600
    assert not made.exists()
    with echoing(folder) as problem:
        assert problem is None


def test_the_first_of_two_servers_answers(served: Path) -> None:
    with echoing(served) as problem:
        assert problem is not None
        assert "another page" in problem
    assert ask_server(served, REQUEST, "auto").result() == echo(served, REQUEST)


def test_the_socket_of_a_dead_process_is_replaced(runtime: Path, folder: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom pesearch.search.server.server import _listening\n"
        "with _listening(Path(sys.argv[1])): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, folder], check=True)
    assert any(path.is_socket() for path in (runtime / "pesearch").iterdir())
    with pytest.raises(NotServed, match="no page is running"):
        ask_server(folder, REQUEST, "auto")
    with echoing(folder) as problem:
        assert problem is None
        assert ask_server(folder, REQUEST, "auto").result() == echo(folder, REQUEST)


def test_a_folder_open_to_other_users_is_not_used(runtime: Path, folder: Path) -> None:
    (runtime / "pesearch").mkdir()
    (runtime / "pesearch").chmod(0o755)
    with echoing(folder) as problem:
        assert problem is not None
        assert "open to other users" in problem
        with pytest.raises(NotServed, match="open to other users"):
            ask_server(folder, REQUEST, "auto")


def test_a_link_is_not_used_as_the_folder(runtime: Path, folder: Path) -> None:
    (runtime / "elsewhere").mkdir(mode=0o700)
    (runtime / "pesearch").symlink_to(runtime / "elsewhere")
    with echoing(folder) as problem:
        assert problem is not None
    assert not list((runtime / "elsewhere").iterdir())


def test_without_a_runtime_folder_sockets_are_in_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for runtime in ("", str(tmp_path / "none")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        assert socket_folder() == tmp_path / f"pesearch-{os.geteuid()}"


def test_a_runtime_folder_may_have_a_very_long_path(
    runtime: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = runtime / ("x" * 200)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with echoing(folder) as problem:
        assert problem is None
        assert ask_server(folder, REQUEST, "auto").result() == echo(folder, REQUEST)


def test_without_a_socket_the_page_goes_on(runtime: Path, folder: Path) -> None:
    (runtime / "pesearch").write_text("in the way")
    with echoing(folder) as problem:
        assert problem is not None
        assert "\n" not in problem


def test_concurrent_clients_get_their_own_results(served: Path) -> None:
    requests = [SearchRequest(text) for text in ("siren", "train", "a dog barking", "rain", "bell", "drum")] * 4
    with ThreadPoolExecutor(12) as clients:
        answers = list(clients.map(lambda request: ask_server(served, request, "auto"), requests))
    assert [answer.result() for answer in answers] == [echo(served, request) for request in requests]


def test_a_query_waits_for_the_one_before_it(runtime: Path, folder: Path) -> None:
    lock = threading.Lock()
    with echoing(folder, lock), ThreadPoolExecutor(1) as asker:
        with lock:
            waiting = asker.submit(ask_server, folder, REQUEST, "auto")
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        assert waiting.result(60).result() == echo(folder, REQUEST)


def test_a_query_in_progress_is_answered_before_the_server_stops(runtime: Path, folder: Path) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def answer(request: SearchRequest) -> SearchResult:
        entered.set()
        assert go_on.wait(60)
        return echo(folder, request)

    models: Any = FakeModels()
    with ThreadPoolExecutor(1) as asker:
        with serve_queries(folder, lambda: models, answer):
            waiting = asker.submit(ask_server, folder, REQUEST, "auto")
            assert entered.wait(60)
            threading.Timer(0.2, go_on.set).start()
        assert waiting.result(60).result() == echo(folder, REQUEST)


def test_missing_models_are_an_error_of_the_query(runtime: Path, folder: Path) -> None:
    def missing() -> ModelSet:
        raise ModelMissing("fetch them")

    def answer(_: SearchRequest) -> SearchResult:
        raise AssertionError("there are no models to search with")

    with serve_queries(folder, missing, answer):
        answer_with_error = ask_server(folder, REQUEST, "auto")
    assert answer_with_error.notice is None
    with pytest.raises(ModelMissing, match="fetch them"):
        answer_with_error.result()


def test_an_empty_reply_counts_as_not_served() -> None:
    with pytest.raises(NotServed):
        client._to_answer(ReplyMessage(), Path())
