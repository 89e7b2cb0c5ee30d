"""What the document type definition of FCPXML 1.8 demands of the elements that we write, in our own words.

Final Cut Pro rejects documents that do not match the definition, which is Apple's and not free. Elements have their
children in one order; attributes are required or may be left out; some have fixed values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

ANY, FLAG, TIME, COUNT = r"(?s).*", "[01]", r"\d+(/[1-9]\d*)?s", r"[1-9]\d*"
FORMAT = "DF|NDF"
RATE = r"23\.98|24|25|29\.97|30|47\.95|48|50|59\.94|60"


@dataclass(frozen=True, slots=True)
class Rule:
    """`children` is a regular expression over their names, each followed by a space; attributes have one of values."""

    children: str = ""
    required: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)


RULES = {
    "fcpxml": Rule("(resources )?(project )*", {"version": r"1\.8"}),
    "resources": Rule("(asset |format )*"),
    "format": Rule(
        "", {"id": ANY}, {"name": ANY, "frameDuration": TIME, "width": COUNT, "height": COUNT}
    ),
    "asset": Rule(
        "",
        {"id": ANY, "src": "file://.+"},
        {
            "name": ANY, "start": TIME, "duration": TIME, "hasVideo": FLAG, "format": ANY, "hasAudio": FLAG,
            "audioSources": COUNT, "audioChannels": COUNT, "audioRate": COUNT,
        },
    ),
    "project": Rule("sequence ", {}, {"name": ANY}),
    "sequence": Rule("(note )?spine ", {"format": ANY}, {"duration": TIME, "tcStart": TIME, "tcFormat": FORMAT}),
    "spine": Rule("(asset-clip |video )*"),
    "asset-clip": Rule(
        "(note )?(conform-rate )?(marker )*",
        {"ref": ANY},
        {"name": ANY, "offset": TIME, "start": TIME, "duration": TIME, "tcFormat": FORMAT},
    ),
    "video": Rule(
        "(note )?(conform-rate )?(marker )*",
        {"ref": ANY, "duration": TIME},
        {"name": ANY, "offset": TIME, "start": TIME},
    ),
    "note": Rule(),
    "conform-rate": Rule("", {}, {"scaleEnabled": FLAG, "srcFrameRate": RATE}),
    "marker": Rule("", {"start": TIME, "value": ANY}, {"duration": TIME}),
}  # fmt: skip


def faults(root: Element) -> Iterator[str]:
    """What of a document the definition does not allow."""
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    if len(set(ids)) < len(ids):
        yield f"ids are not unique: {ids}"
    for element in root.iter():
        rule = RULES.get(element.tag, Rule("no such element"))
        names = "".join(f"{child.tag} " for child in element)
        if not re.fullmatch(rule.children, names):
            yield f"{element.tag} has the children {names}"
        for name in rule.required.keys() - element.attrib.keys():
            yield f"{element.tag} lacks {name}"
        allowed = {**rule.required, **rule.optional}
        for name, value in element.attrib.items():
            if not re.fullmatch(allowed.get(name, "(?!)"), value):
                yield f"{element.tag} has {name}={value!r}"
            if name in ("ref", "format") and value not in ids:
                yield f"{element.tag} refers to {value}, which does not exist"
