"""The page itself, run by Streamlit's own test harness over the sample clips."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pesearch.app.text import safe
from pesearch.store.library import Library

PAGE = Path(__file__).resolve().parents[2] / "app" / "main.py"


@pytest.fixture
def page(sample_library: Library, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(sample_library.folder))
    return AppTest.from_file(str(PAGE), default_timeout=240)


@pytest.mark.slow
def test_a_question_shows_its_moments_and_their_sounds(page: AppTest) -> None:
    page.run()
    assert not page.exception
    page.text_input(key="text").set_value("siren and train").run()
    assert not page.exception
    names = [text.value for text in page.text if text.value.startswith("1.")]
    assert names == ["1. siren_train.mp4"]
    captions = [caption.value for caption in page.caption]
    assert any(caption.startswith("siren") for caption in captions)
    assert any(caption.startswith("train") for caption in captions)


@pytest.mark.slow
def test_nothing_that_matches_is_said(page: AppTest) -> None:
    page.run()
    page.text_input(key="text").set_value("a violin in a submarine").run()
    assert not page.exception
    assert [warning.value for warning in page.warning if warning.value.startswith("No confident match")]


def test_no_library_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PESEARCH_LIBRARY", str(tmp_path / "none"))
    page = AppTest.from_file(str(PAGE), default_timeout=240).run()
    assert not page.exception
    assert len(page.error) == 1


def test_names_are_never_markup() -> None:
    assert safe("<b>[x](y) $a$ :smile: `c`</b>") == r"\<b\>\[x\]\(y\) \$a\$ \:smile\: \`c\`\</b\>"
    assert safe("a\nb\x1b") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
