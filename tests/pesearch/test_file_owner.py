"""Whose files are whose, and where that has no meaning."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pesearch.file_owner import current_user, has_mode, is_own, is_own_or_roots, is_root, user_name


def status_of(user: int, mode: int) -> os.stat_result:
    return os.stat_result((0o100000 | mode, 1, 1, 1, user, user, 0, 0, 0, 0))


def test_a_file_belongs_to_the_user_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_user() == tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [is_own(status_of(user, 0o600)) for user in (1000, 0, 1001)] == [True, False, False]
    assert [is_own_or_roots(status_of(user, 0o600)) for user in (1000, 0, 1001)] == [True, True, False]
    assert not is_root()


def test_any_of_the_mode_bits_counts() -> None:
    assert has_mode(status_of(0, 0o640), 0o077) and has_mode(status_of(0, 0o602), 0o022)
    assert not has_mode(status_of(0, 0o600), 0o077) and not has_mode(status_of(0, 0o644), 0o022)


def test_users_have_names_or_numbers() -> None:
    assert user_name(0) == "root"
    assert user_name(2**31 - 7) == f"the user {2**31 - 7}"


def test_on_windows_all_files_count_as_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stat has user 0 and mode 0o666 for all files."""
    monkeypatch.setattr(sys, "platform", "win32")
    status = status_of(0, 0o666)
    assert (current_user(), is_root(), is_own(status), is_own_or_roots(status)) == (None, False, True, True)
    assert not has_mode(status, 0o077)
    assert user_name(0) == "the user 0"
