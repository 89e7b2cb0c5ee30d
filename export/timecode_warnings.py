"""What a timeline assumes about the frame rates and timecodes of its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pesearch.export.clip_selection import Selection
from pesearch.export.formats import TIMELINES, ExportFormat
from pesearch.export.timecode import common_rate, rate_of, rate_text


def timecode_warnings(selections: Sequence[Selection], export_format: ExportFormat) -> Iterator[str]:
    """One line for each assumption, and for rates that differ in an EDL, which has only one; none for other formats.

    Stills start at 00:00:00:00 without a warning.
    """
    if export_format not in TIMELINES:
        return
    not_probed = sum(selection.media is None for selection in selections)
    recordings = [selection for selection in selections if selection.media is not None and not selection.is_still]
    not_read = sum(recording.timecode is None for recording in recordings)
    for count, assumed in ((not_probed, "25 frames per second from 00:00:00:00"), (not_read, "timecode 00:00:00:00")):
        if count:
            yield f"{assumed} assumed for {count} moments, whose files are offline or unreadable"
    rates = sorted({rate_of(selection) for selection in selections if selection.frames_per_second is not None})
    if export_format is ExportFormat.EDL and len(rates) > 1:
        in_files = ", ".join(map(rate_text, rates))
        yield f"the EDL has {rate_text(common_rate(selections))} frames per second, its files have {in_files}"
