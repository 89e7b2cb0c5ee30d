"""The summary of an indexing run: outcomes counted, then printed as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pesearch.cli.remark_lines import remark_lines, remark_objects
from pesearch.cli.render import format_path
from pesearch.formatting import count_files, format_length
from pesearch.indexer.summary import OutcomeCounter

STAGES = ("decode", "wait", "tower", "codec", "transformers", "commit", "index")
"""The stages of a run in the order in which they are printed."""

COUNTS = ("indexed", "unchanged", "relocated", "copies", "missing", "excluded", "not_media", "failed_before")
"""The counts of files in a summary as JSON."""

MIN_UNREAD_SECONDS = 0.1
"""Undecodable media is reported only if it is longer than this."""


class Summary(OutcomeCounter):
    """Counts of a run's outcomes, and their text and JSON."""

    def speed(self) -> str:
        """`30.0 min of media, 3.2 x real time`."""
        factor = self.media_seconds / max(self.elapsed_seconds, 1e-9)
        return f"{format_length(self.media_seconds)} of media, {factor:.1f} x real time"

    def stage_seconds(self) -> dict[str, float]:
        """Seconds by stage; empty for a run that embedded nothing."""
        return {stage: getattr(self.spent, f"{stage}_seconds") for stage in STAGES} if self.spent else {}

    @property
    def _has_media(self) -> bool:
        known = self.unchanged or self.relocated or self.copies or self.missing or self.excluded
        return bool(self.indexed or known or self.failed or self.failed_before)

    def lines(self) -> Iterator[str]:
        """The summary as text."""
        parts = [f"{self.indexed} file{'' if self.indexed == 1 else 's'} indexed"]
        if self.media_seconds:
            parts.append(f"{self.speed()}, in {self.elapsed_seconds:.0f} s")
        counts = ("unchanged", "relocated", "copies", "missing", "excluded", "failed_before")
        names = {name: name.replace("_", " ") for name in counts} | ({"copies": "copy"} if self.copies == 1 else {})
        parts += [f"{getattr(self, name)} {shown}" for name, shown in names.items() if getattr(self, name)]
        if self.cues_taken:
            parts.append(f"{self.cues_taken} new cues of files already indexed")
        if self.cues_embedded:
            parts.append(f"{self.cues_embedded} cue{'' if self.cues_embedded == 1 else 's'} embedded")
        if self.properties_read:
            parts.append(f"dates and places of {self.properties_read} files read")
        if self.not_media and not self._has_media:
            parts.append(f"no media in {count_files(self.not_media)}")
        if self.remarks:
            parts.append(f"{len(self.remarks)} with remarks")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        yield ", ".join(parts)
        if self.missing:
            yield "missing files stay searchable: `pesearch status` lists and `pesearch remove --missing` removes them"
        if self.excluded:
            yield "excluded files stay searchable: `pesearch remove --excluded` removes them"
        if self.spent:
            stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.stage_seconds().items())
            yield f"time: {stages}; bound by: {self.spent.bound_by}"
        yield from self.warnings()
        if self.unread_seconds >= MIN_UNREAD_SECONDS:
            yield f"{self.unread_seconds:.1f} s of media could not be decoded and are not in the library"
        yield from (f"remark: {line}" for line in remark_lines(list(self.remarks.items())))
        yield from (f"replaced: {format_path(path)}: other content of the same size and time" for path in self.replaced)
        yield from (f"failed: {format_path(path)}: {reason}" for path, reason in self.failed.items())
        if self.failed or self.failed_before:
            yield "failed files are retried when they change, or with --retry-failed"

    def json(self) -> str:
        """The summary as one JSON object."""
        counts = {name: getattr(self, name) for name in COUNTS}
        return json.dumps(
            counts
            | {
                "replaced": [format_path(path) for path in self.replaced],
                "failed": [{"path": format_path(path), "reason": reason} for path, reason in self.failed.items()],
                "cues_taken": self.cues_taken,
                "cues_embedded": self.cues_embedded,
                "properties_read": self.properties_read,
                "remarks": remark_objects(list(self.remarks.items())),
                "media_seconds": round(self.media_seconds, 3),
                "unread_seconds": round(self.unread_seconds, 3),
                "elapsed_seconds": round(self.elapsed_seconds, 3),
                "stages_seconds": {stage: round(seconds, 3) for stage, seconds in self.stage_seconds().items()},
                "bound_by": self.spent.bound_by if self.spent else None,
                "troubles": self.warnings(),
            }
        )
