"""Who asks and who answers: one serves, any may ask, and nobody can do harm."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

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
from tests.search.server.page import serving
from tests.search.server.talking import QUESTION


def test_the_answer_is_that_of_a_search(served: Library, starter: ModelSet) -> None:
    answer = ask_server(served.folder, QUESTION, "auto")
    assert answer.result() == search(served, starter, QUESTION)
    assert answer.notice == starter.notice


def test_a_mistake_is_the_same_mistake(served: Library) -> None:
    answer = ask_server(served.folder, SearchRequest("siren AND"), "auto")
    with pytest.raises(QuerySyntaxError) as caught:
        answer.result()
    assert caught.value.caret_lines()[1] == "         ^"
    assert answer.notice is None  # no model was asked
    with pytest.raises(QueryError, match="cannot use nowhere as an example: no such file"):
        ask_server(served.folder, SearchRequest(audio=Path("nowhere")), "auto").result()


def test_bytes_that_are_no_text_are_told_and_names_of_files_may_hold_them(served: Library) -> None:
    with pytest.raises(QuerySyntaxError, match="expected valid UTF-8"):
        ask_server(served.folder, SearchRequest("siren \udcff"), "auto").result()
    with pytest.raises(QueryError, match="no such file"):
        ask_server(served.folder, SearchRequest("./\udcff.wav"), "auto").result()


def test_a_library_is_itself_by_any_path(served: Library, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(served.folder)
    assert ask_server(link, QUESTION, "cpu").result().library == link
    with pytest.raises(NotServed, match="no page is running"):
        ask_server(tmp_path, QUESTION, "auto")


def test_nobody_serves(runtime: Path, sample_library: Library) -> None:
    with pytest.raises(NotServed, match="no page is running"):
        ask_server(sample_library.folder, QUESTION, "auto")


def test_another_device_is_not_used(served: Library) -> None:
    with pytest.raises(NotServed, match="computes on cpu, not on cuda"):
        ask_server(served.folder, QUESTION, "cuda")


def test_other_surroundings_are_not_those_of_the_page(served: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = replace(Environment.current(), time_zone="Antarctica/Troll")
    monkeypatch.setattr(Environment, "current", iter([elsewhere, Environment.current()]).__next__)
    with pytest.raises(NotServed, match="time zone"):
        ask_server(served.folder, QUESTION, "auto")


def test_other_models_than_the_library_has_are_not_used(runtime: Path, starter: ModelSet, tmp_path: Path) -> None:
    library = create_library(tmp_path, starter.name, [replace(space, revision="other") for space in starter.spaces])
    with serving(library, starter), pytest.raises(NotServed, match="other models"):
        ask_server(library.folder, QUESTION, "auto")


def test_the_socket_is_this_user_s_alone_and_goes_with_the_page(
    runtime: Path, sample_library: Library, starter: ModelSet
) -> None:
    with serving(sample_library, starter):
        assert (runtime / "pesearch").stat().st_mode & 0o777 == 0o700
        (made,) = (path for path in (runtime / "pesearch").iterdir() if path.is_socket())
        assert made.stat().st_mode & 0o777 == 0o600
    assert not made.exists()
    with serving(sample_library, starter) as problem:
        assert problem is None


def test_the_first_of_two_pages_serves(served: Library, starter: ModelSet) -> None:
    with serving(served, starter) as problem:
        assert problem is not None
        assert "another page" in problem
    assert ask_server(served.folder, QUESTION, "auto").result().matches


def test_what_a_dead_page_left_is_taken_over(runtime: Path, sample_library: Library, starter: ModelSet) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom pesearch.search.server.server import _listening\n"
        "with _listening(Path(sys.argv[1])): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, sample_library.folder], check=True)
    assert any(path.is_socket() for path in (runtime / "pesearch").iterdir())
    with pytest.raises(NotServed, match="no page is running"):
        ask_server(sample_library.folder, QUESTION, "auto")
    with serving(sample_library, starter) as problem:
        assert problem is None
        assert ask_server(sample_library.folder, QUESTION, "auto").result().matches


def test_a_folder_that_others_can_enter_is_not_used(runtime: Path, sample_library: Library, starter: ModelSet) -> None:
    (runtime / "pesearch").mkdir()
    (runtime / "pesearch").chmod(0o755)
    with serving(sample_library, starter) as problem:
        assert problem is not None
        assert "open to others" in problem
        with pytest.raises(NotServed, match="open to others"):
            ask_server(sample_library.folder, QUESTION, "auto")


def test_a_link_is_no_folder_of_one_s_own(runtime: Path, sample_library: Library, starter: ModelSet) -> None:
    (runtime / "elsewhere").mkdir(mode=0o700)
    (runtime / "pesearch").symlink_to(runtime / "elsewhere")
    with serving(sample_library, starter) as problem:
        assert problem is not None
    assert not list((runtime / "elsewhere").iterdir())


def test_without_a_runtime_folder_there_is_one_of_the_user_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for runtime in ("", str(tmp_path / "none")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        assert socket_folder() == tmp_path / f"pesearch-{os.geteuid()}"


def test_a_very_long_path_is_no_hindrance(
    runtime: Path, sample_library: Library, starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = runtime / ("x" * 200)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with serving(sample_library, starter) as problem:
        assert problem is None
        assert ask_server(sample_library.folder, QUESTION, "auto").result().matches


def test_where_no_socket_can_be_made_the_page_goes_on(
    runtime: Path, sample_library: Library, starter: ModelSet
) -> None:
    (runtime / "pesearch").write_text("in the way")
    with serving(sample_library, starter) as problem:
        assert problem is not None
        assert "\n" not in problem


def test_many_at_once_are_all_answered(served: Library, starter: ModelSet) -> None:
    requests = [
        SearchRequest(text, locate=False) for text in ("siren", "train", "a dog barking", "rain", "bell", "drum")
    ]
    expected = [search(served, starter, request) for request in requests]
    with ThreadPoolExecutor(12) as clients:
        answer = list(clients.map(lambda request: ask_server(served.folder, request, "auto"), requests * 4))
    assert [each.result() for each in answer] == expected * 4


def test_a_question_waits_for_its_turn(runtime: Path, sample_library: Library, starter: ModelSet) -> None:
    turn = threading.Lock()
    with serving(sample_library, starter, turn), ThreadPoolExecutor(1) as asker:
        with turn:
            waiting = asker.submit(ask_server, sample_library.folder, QUESTION, "auto")
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        assert waiting.result(60).result().matches


def test_what_is_being_answered_at_the_end_is_answered(
    runtime: Path, sample_library: Library, starter: ModelSet
) -> None:
    turn = threading.Lock()
    turn.acquire()
    with ThreadPoolExecutor(1) as asker:
        with serving(sample_library, starter, turn):
            waiting = asker.submit(ask_server, sample_library.folder, QUESTION, "auto")
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
            threading.Timer(0.3, turn.release).start()
        assert waiting.result(60).result().matches


def test_models_that_cannot_be_had_are_told(runtime: Path, sample_library: Library) -> None:
    def missing() -> ModelSet:
        raise ModelMissing("fetch them")

    def answer(_: SearchRequest) -> SearchResult:
        raise AssertionError("nothing can be asked")

    with serve_queries(sample_library.folder, missing, answer):
        answer = ask_server(sample_library.folder, QUESTION, "auto")
    assert answer.notice is None
    with pytest.raises(ModelMissing, match="fetch them"):
        answer.result()


def test_an_answer_says_one_thing() -> None:
    with pytest.raises(NotServed):
        client._to_answer(ReplyMessage(), Path())
