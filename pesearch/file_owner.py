"""The owner and the mode of files.

Windows has neither user ids nor mode bits: access lists decide there, which the folders of a user inherit from the
user's profile. So on Windows every file counts as the user's own, and none as open to others.
"""

from __future__ import annotations

import os
import stat
import sys

if sys.platform != "win32":
    import pwd

ROOT = 0


def current_user() -> int | None:
    """The effective user id of this process; None on Windows."""
    if sys.platform == "win32":
        return None
    return os.geteuid()


def is_root() -> bool:
    """Whether this process may write to the files of all users, and its own files belong to root."""
    return current_user() == ROOT


def is_own(status: os.stat_result) -> bool:
    """Whether a file belongs to the user of this process."""
    user = current_user()
    return user is None or status.st_uid == user


def is_own_or_roots(status: os.stat_result) -> bool:
    """Whether a file belongs to the user of this process, or to root."""
    return is_own(status) or status.st_uid == ROOT


def has_mode(status: os.stat_result, mode: int) -> bool:
    """Whether a file has any of the mode bits `mode`, such as 0o022 for "others can write to it"."""
    return sys.platform != "win32" and bool(stat.S_IMODE(status.st_mode) & mode)


def user_name(user_id: int) -> str:
    """The name of a user of this machine."""
    if sys.platform != "win32":
        try:
            return pwd.getpwuid(user_id).pw_name
        except KeyError:
            pass
    return f"the user {user_id}"
