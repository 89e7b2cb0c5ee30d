"""Files that begin like media and go on as a list of other files, and a watch on what is opened because of them.

python -m tests.media.polyglots    # each signature before each list under each name: about five minutes

Also files that name others by their format (tests/media/linked_files.py).
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media import signatures
from pesearch.media.audio import AudioReader
from pesearch.media.image import read_image
from pesearch.media.probe import probe
from pesearch.media.thumbnails import thumbnail
from pesearch.media.video import FrameReader
from pesearch.types import MediaKind
from tests.media.linked_files import VOBSUB, write_linked

ID3 = b"ID3\x03\0\0" + bytes([0, 0, 0, 64]) + bytes(64)
"""A whole tag, which FFmpeg skips before it looks for the format."""

NAMES = ("a.mp3", "a.mp4", os.fsdecode(b"a\xff.mp3"))

_IN_OPEN = 0x20


def lists(secret: Path, port: int) -> dict[str, bytes]:
    """A list of each kind, of the file `secret`, by an absolute path, a relative one or over HTTP."""
    media, near = f"file://{secret}", f"../{secret.parent.name}/{secret.name}"
    web = f"http://127.0.0.1:{port}/a.ts"
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:6.0,\n{}\n#EXT-X-ENDLIST\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:full:2011" mediaPresentationDuration="PT8S"><Period><AdaptationSet '
        'mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL>{}</Representation>'
        "</AdaptationSet></Period></MPD>"
    )
    segments = f'<SegmentList duration="4"><SegmentURL media="{media}"/><SegmentURL media="{web}"/></SegmentList>'
    imf = (
        '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
        f"<Id>urn:uuid:8713c020-2489-45f5-a9f7-87be539e20b5</Id><!-- {media} --></CompositionPlaylist>"
    )
    texts = {
        "hls": hls.format(media),
        "hls, relative": hls.format(near),
        "hls, http": hls.format(web),
        "hls, master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{media}\n",
        "dash": dash.format(media, ""),
        "dash, segments": dash.format("", segments),
        "ffconcat": f"ffconcat version 1.0\nfile '{near}'\n",
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
        "imf": imf,
        "vobsub": VOBSUB,
        "rtsp": f"rtsp://127.0.0.1:{port}/a",
    }
    return {name: text.encode() for name, text in texts.items()}


def prefixes() -> list[bytes]:
    """The first bytes of each format that `kind_of_head` knows."""
    boxes = [struct.pack(">I", 24) + name + b"isom\0\0\2\0isommp42" for name in sorted(signatures._QUICKTIME_BOXES)]
    riff = [name + b"\x40\0\0\0" + form for name in signatures._RIFF_NAMES for form in signatures._RIFF_FORMS]
    others = [b"GIF89a\1\0\1\0\0\0\0", b"BM\x40\0\0\0\0\0\0\0", b"FORM\0\0\0\x40AIFF", b"OggS\0\2", b"\xff\xfb\x90\0"]
    stream = b"".join(b"\x47" + bytes(187) for _ in range(30))
    known = [prefix for prefix, _ in signatures._PREFIXES]
    return [ID3, *known, *signatures.CAMERA_RAW_PREFIXES, *boxes, *riff, *others, stream]


@dataclass
class Watch:
    """The secret file, a port, and whether anything opened or called them."""

    secret: Path
    port: int
    seen: list[str] = field(default_factory=list)


@contextmanager
def watched(folder: Path, content: bytes) -> Iterator[Watch]:
    """Watch a file with this content in `folder` (inotify, so on Linux only), and a port of this machine."""
    folder.mkdir(exist_ok=True)
    secret = folder / "private.ts"
    secret.write_bytes(content)
    libc = ctypes.CDLL(None, use_errno=True)
    queue = libc.inotify_init1(os.O_NONBLOCK)
    libc.inotify_add_watch(queue, os.fsencode(secret), _IN_OPEN)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        watch = Watch(secret, server.getsockname()[1])
        try:
            yield watch
            with suppress(BlockingIOError):
                os.read(queue, 4096)
                watch.seen.append("the file was opened")
            with suppress(BlockingIOError):
                server.accept()[0].close()
                watch.seen.append("a connection was made")
        finally:
            os.close(queue)


def read_all(path: Path) -> str | None:
    """Read a file in each way there is, whatever its kind; the reason why it is refused, None if it is not."""
    try:
        info = probe(path)
    except MediaError as error:
        for read in (read_image, FrameReader):
            with suppress(MediaError):
                read(path)
        return str(error)
    with suppress(MediaError):
        thumbnail(path, 0.0)
    if info.kind is not MediaKind.IMAGE:
        with suppress(MediaError), FrameReader(path) as frames:
            list(frames.read([0.0, 1.0]))
        with suppress(MediaError), AudioReader(path) as sound:
            sound.read(0.0, 1.0)
    return None


def main() -> None:
    """The whole matrix."""
    from tests.media import samples

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "samples").mkdir()
        content = samples.make("offset.ts", folder / "samples").read_bytes()
        count, read = 0, 0
        with watched(folder / "secret", content) as watch:
            (folder / "media").mkdir()
            for each in NAMES:  # where a VobSub index has its pictures
                with suppress(FileExistsError):
                    os.link(watch.secret, (folder / "media" / each).with_suffix(".sub"))
            for kind, text in lists(watch.secret, watch.port).items():
                for prefix in prefixes():
                    for each in NAMES:
                        path = folder / "media" / each
                        path.write_bytes(prefix + text)
                        reason = read_all(path)
                        count, read = count + 1, read + (reason is None)
                        assert reason is None or "\n" not in reason, (kind, prefix, reason)
            (folder / "linked").mkdir()
            for kind, path in write_linked(
                folder / "linked", watch.secret, lambda name: samples.make(name, folder / "samples")
            ):
                print(f"{kind}: {read_all(path) or 'read'}")
            for each in ("clip%03d.jpg", "a*?.png", "a%d.webp", "a%d.tif", "%d.mp4"):
                (folder / "media" / "clip001.jpg").write_bytes(content)
                path = folder / "media" / each
                path.write_bytes(content)
                print(f"{each} with the content of a film: {read_all(path) or 'read'}")
        print(
            f"{count} files, {read} of them read as what their first bytes say: {watch.seen or 'nothing else opened'}"
        )
        assert not watch.seen


if __name__ == "__main__":
    main()
