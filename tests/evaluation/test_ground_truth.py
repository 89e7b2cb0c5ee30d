"""Reading truths.json, valid and invalid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pesearch.errors import QueryError
from pesearch.evaluation.ground_truth import read_truths


def written(folder: Path, content: object) -> Path:
    path = folder / "truths.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_all_fields_of_a_clip(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "clips": [
                {
                    "path": "a/clip.mp4",
                    "audio_caption": "a siren",
                    "video_caption": "a red train",
                    "caption": "a siren and a red train",
                    "heard": [{"what": "siren", "start": 1.2, "end": 3.1}],
                    "seen": [{"what": "train", "start": 0, "end": 4, "colour": "red"}],
                    "said": [{"text": "mind the gap", "start": 0.5, "end": 2.0}],
                    "place": "night",
                    "sources": ["car"],
                }
            ]
        },
    )
    (clip,) = read_truths(path)
    assert clip.path == tmp_path / "a" / "clip.mp4"
    assert (clip.heard[0].what, clip.heard[0].start_seconds, clip.heard[0].end_seconds) == ("siren", 1.2, 3.1)
    assert clip.heard_facts() == {"heard:siren", "said:mind the gap"}
    assert clip.seen_facts() == {"seen:train", "seen:train:colour:red", "place:night"}
    assert clip.sound_sources() == {"car"}
    assert clip.visible_objects() == {"train"}


def test_only_the_path_is_required(tmp_path: Path) -> None:
    (clip,) = read_truths(written(tmp_path, {"clips": [{"path": "a.wav"}]}))
    assert not clip.heard_facts()
    assert not clip.seen_facts()
    assert clip.caption == ""


def test_without_sources_the_sounds_are_the_sources(tmp_path: Path) -> None:
    heard = [{"what": "bell", "start": 0, "end": 1}]
    (clip,) = read_truths(written(tmp_path, {"clips": [{"path": "a.wav", "heard": heard}]}))
    assert clip.sound_sources() == {"bell"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no clips"),
        ({"clips": []}, "no clips"),
        ({"clips": [{"caption": "x"}]}, "clip 1 has no 'path'"),
        ({"clips": [{"path": 3}]}, "clip 1"),
        ({"clips": ["a.mp4"]}, "clip 1"),
        ({"clips": [{"path": "a"}, {"path": "b", "heard": [{"what": "x", "start": 0}]}]}, "clip 2 has no 'end'"),
        ({"clips": [{"path": "a", "heard": [{"what": "x", "start": 2, "end": 1}]}]}, "no valid times: 2 to 1"),
        ({"clips": [{"path": "a", "heard": [{"what": "x", "start": "soon", "end": 1}]}]}, "clip 1"),
        ({"clips": [{"path": "a", "said": 7}]}, "clip 1"),
    ],
)
def test_invalid_clips_are_reported_in_one_line(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        read_truths(written(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_missing_files_and_invalid_json(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="No such file"):
        read_truths(tmp_path / "truths.json")
    path = tmp_path / "truths.json"
    path.write_bytes(b"\xff{")
    with pytest.raises(QueryError, match="not JSON"):
        read_truths(path)
