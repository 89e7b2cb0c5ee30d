"""Everything that can go wrong and that a user can do something about.

    PesearchError
    +-- MediaError            a file cannot be read as media
    |   +-- FFmpegMissing     no FFmpeg libraries on this machine
    +-- ModelError
    |   +-- UnknownModel      no model set of that name
    |   +-- ModelMissing      known, but its weights are not on this machine
    |   +-- ModelDamaged      the weights do not fit the model's description
    |   +-- DeviceError       the device asked for is not there, or its memory is exhausted
    +-- LibraryError
    |   +-- LibraryNotFound   no library in that folder
    |   +-- LibraryBusy       another process writes to it
    |   +-- LibraryTooNew     written by a newer pesearch
    |   +-- LibraryDamaged    what is on disk contradicts itself
    |   +-- LibraryMoved      what a pinned library would read is gone: it was changed since
    |   +-- OtherModelSet     the library was made with another model set
    |   +-- NoSpaceLeft       the disk is full
    +-- QuestionError         a question that cannot be asked

The message is one line: what is wrong and what to do. Only cli/ and app/ turn errors into output and exit codes.
"""

from __future__ import annotations


class PesearchError(Exception):
    """Root of the tree: its text is one line for the user."""


class MediaError(PesearchError):
    """A file cannot be read as media: damaged, empty, unreadable, vanished, or of no known kind."""


class FFmpegMissing(MediaError):
    """The FFmpeg libraries that decode media are not on this machine."""


class ModelError(PesearchError):
    """Something about models."""


class UnknownModel(ModelError):
    """No model set of that name."""


class ModelMissing(ModelError):
    """The model set is known, but its weights are not on this machine."""


class ModelDamaged(ModelError):
    """The weights do not fit the model's description."""


class DeviceError(ModelError):
    """The device asked for is not there, or has no memory left."""


class OutOfMemory(DeviceError):
    """The device has no memory left for this; less at a time may fit."""


class LibraryError(PesearchError):
    """Something about a library on disk."""


class LibraryNotFound(LibraryError):
    """There is no library in that folder."""


class LibraryBusy(LibraryError):
    """Another process is writing to the library."""


class LibraryTooNew(LibraryError):
    """The library was written by a newer pesearch."""


class LibraryDamaged(LibraryError):
    """What is on disk contradicts itself."""


class LibraryMoved(LibraryError):
    """A pinned library asks for what was removed or merged since: ask again from the library as it is now."""


class OtherModelSet(LibraryError):
    """The library was made with another model set."""


class NoSpaceLeft(LibraryError):
    """The disk that holds the library is full."""


class QuestionError(PesearchError):
    """A question that cannot be asked."""
