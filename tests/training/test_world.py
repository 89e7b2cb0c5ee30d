"""The world's clips: distinct, reproducible, outside the training data, and equal to their ground truth."""

import json
import subprocess
from pathlib import Path

import pytest

from pesearch.errors import FFmpegMissing, PesearchError
from training import sample_media, world
from training.scene import TRAINING_SEEDS, facts_of
from training.words import PHRASES

KEYS = {"path", "audio_caption", "video_caption", "caption", "heard", "seen", "said", "place", "sources"}


def streams(path: Path) -> dict[str, dict[str, str]]:
    """What ffprobe knows of each stream, by its kind."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]
    return {stream["codec_type"]: stream for stream in found}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "clips"
    assert world.main(["--seed", "3", "--count", "3", "--out", str(folder)]) == 0
    return folder


def test_scenes_are_distinct_and_never_trained_on() -> None:
    scenes = world.choose_scenes(5, 40)
    assert min(scene.seed for scene in scenes) >= TRAINING_SEEDS
    assert len({facts_of(scene).audible() for scene in scenes}) == 40
    assert len({facts_of(scene).visible() for scene in scenes}) == 40
    assert scenes == world.choose_scenes(5, 40)
    assert not {scene.seed for scene in scenes} & {scene.seed for scene in world.choose_scenes(6, 40)}


@pytest.mark.slow
def test_two_hundred_clips_speak_every_phrase() -> None:
    said = {line.text for scene in world.choose_scenes(1, 200) for line in scene.said}
    assert said == set(PHRASES)


def test_clips_match_the_ground_truth(made: Path) -> None:
    clips = json.loads((made / "truths.json").read_text())["clips"]
    assert [clip["path"] for clip in clips] == ["clip_001.mp4", "clip_002.mp4", "clip_003.mp4"]
    for clip, scene in zip(clips, world.choose_scenes(3, 3), strict=True):
        assert set(clip) == KEYS
        assert {heard["what"] for heard in clip["heard"]} == facts_of(scene).heard
        assert {seen["what"] for seen in clip["seen"]} == facts_of(scene).seen
        coloured = {(seen["what"], seen["colour"]) for seen in clip["seen"] if seen["colour"]}
        assert coloured == facts_of(scene).coloured
        assert clip["place"] == scene.place
        assert {said["text"] for said in clip["said"]} == facts_of(scene).said
        assert all(0 <= heard["start"] < heard["end"] <= 4 for heard in clip["heard"])
        assert clip["audio_caption"] and clip["video_caption"] and clip["caption"]
    assert str(TRAINING_SEEDS) in (made / "README.txt").read_text()


def test_a_clip_is_h264_with_aac(made: Path) -> None:
    found = streams(made / "clip_001.mp4")
    video, audio = found["video"], found["audio"]
    assert (video["codec_name"], video["pix_fmt"], video["width"], video["height"]) == ("h264", "yuv420p", 256, 192)
    assert (audio["codec_name"], audio["sample_rate"], audio["channels"]) == ("aac", "48000", 1)
    assert float(video["duration"]) == pytest.approx(4.0)


def test_second_run_gives_the_same_files_and_no_others(made: Path, tmp_path: Path) -> None:
    world.write_world(tmp_path / "first", 3, 2)
    assert (tmp_path / "first" / "clip_001.mp4").read_bytes() == (made / "clip_001.mp4").read_bytes()
    world.write_world(tmp_path / "first", 4, 1)
    names = {path.name for path in (tmp_path / "first").iterdir()}
    assert names == {"README.txt", "clip_001.mp4", "truths.json"}


def test_folder_with_other_content_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert world.main(["--seed", "1", "--count", "1", "--out", str(tmp_path)]) == 2
    assert "has other content" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_clips_of_sound_only(tmp_path: Path) -> None:
    (truth,) = world.write_world(tmp_path, 2, 1, kind="audio")
    assert (truth.path, truth.seen, truth.video_caption) == ("clip_001.wav", (), "")
    assert set(streams(tmp_path / truth.path)) == {"audio"}


def test_an_interrupted_clip_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.render.render_frame", interrupted)
    assert world.main(["--seed", "1", "--count", "1", "--out", str(tmp_path)]) == 130
    assert {path.name for path in tmp_path.iterdir()} == {"README.txt"}


def test_missing_ffmpeg_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.sounds.speech.speak", lambda *_: pytest.fail("not reached"))
    monkeypatch.setenv("PATH", str(tmp_path))
    scene = sample_media.samples()[3].scenes
    with pytest.raises(FFmpegMissing, match="install"):
        world.write_video(tmp_path / "clip.mp4", scene)
    assert issubclass(FFmpegMissing, PesearchError)


@pytest.mark.parametrize("arguments", [["--seed", "-1"], ["--seed", "1", "--count", "0"]])
def test_impossible_numbers_are_refused(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        world.main([*arguments, "--out", str(tmp_path)])


def test_sample_media_match_their_definition() -> None:
    clips = json.loads((sample_media.FOLDER / "truths.json").read_text())["clips"]
    samples = sample_media.samples()
    assert [clip["path"] for clip in clips] == [sample.name for sample in samples]
    assert all((sample_media.FOLDER / sample.name).stat().st_size > 1000 for sample in samples)
    assert sum(path.stat().st_size for path in sample_media.FOLDER.iterdir()) < 6_000_000
    assert all(scene.seed >= TRAINING_SEEDS for sample in samples for scene in sample.scenes)
    pair = clips[0]
    assert [(heard["what"], heard["start"], heard["end"]) for heard in pair["heard"]] == [
        ("siren", 0.6, 2.8),
        ("train", 3.0, 5.6),
    ]
