"""The browser page: ask at the top, moments below, each with its picture, its sounds and a player that starts there."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pesearch.app.server import MEDIA_ROUTE
from pesearch.app.text import safe
from pesearch.app.uploads import kept_upload
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import PesearchError
from pesearch.media.cut import thumbnail
from pesearch.search.opening import open_for_search
from pesearch.search.question import Question
from pesearch.search.search import Answer, search
from pesearch.settings import default_library
from pesearch.store.library import Library
from pesearch.types import MediaKind, Moment
from pesearch.wording import event_text, evidence_text, when

SOUND_TYPES = ["wav", "mp3", "m4a", "aac", "flac", "ogg", "opus"]
PICTURE_TYPES = ["jpg", "jpeg", "png", "webp"]


@st.cache_resource(show_spinner="Loading the models")
def opened(folder: Path) -> tuple[Library, ModelSet]:
    """The library and its models, shared by all pages."""
    return open_for_search(folder, "auto")


@st.cache_data(max_entries=2000, show_spinner=False)
def picture(path: Path, at_seconds: float) -> bytes | None:
    """The picture of a moment as JPEG; None where the file has none or is away."""
    try:
        return thumbnail(path, at_seconds)
    except PesearchError:
        return None


def main() -> None:
    """Lay out the page."""
    st.set_page_config(page_title="pesearch", page_icon="🔎", layout="wide")
    st.title("pesearch", anchor=False)
    try:
        library, models = opened(default_library())
        question = asked()
        show_library(library, models.notice)
        if question:
            with st.spinner("Searching"):
                answer = search(library, models, question)
            show_answer(answer)
    except PesearchError as error:
        st.error(safe(str(error)))


def asked() -> Question | None:
    """The question as the page's controls and its address hold it; None while nothing is asked."""
    text = st.text_input("What is seen or heard", key="text", bind="query-params", placeholder="siren and train")
    left, middle, right = st.columns(3)
    speech = left.toggle("These are spoken words", key="speech", bind="query-params")
    sound = middle.file_uploader("Find by a sound", type=SOUND_TYPES)
    image = right.file_uploader("Find by a picture", type=PICTURE_TYPES)
    if not (text.strip() or sound or image):
        return None
    return Question(
        text=text, speech=speech and bool(text.strip()), audio=kept_upload(sound), image=kept_upload(image), k=12
    )


def show_library(library: Library, notice: str | None) -> None:
    """What is being searched, and what the models can and cannot know."""
    status = library.status()
    with st.sidebar:
        st.subheader("Library", anchor=False)
        st.text(str(library.folder))
        st.text(f"{status.files} files, {status.hours:.2f} h, {status.failures} failed")
        st.text(f"models: {library.model_set}")
        if notice:
            st.info(notice)


def show_answer(answer: Answer) -> None:
    """The moments, or that there is none."""
    if not answer.matches:
        st.warning("No confident match." + (" The nearest are:" if answer.moments else ""))
    for moment in answer.matches or answer.moments:
        show_moment(moment)


def show_moment(moment: Moment) -> None:
    """One moment: picture, name, time, evidence, and the player."""
    with st.container(border=True):
        left, right = st.columns([1, 2])
        image = picture(moment.file.path, moment.start_seconds) if moment.file.info.video else None
        if image:
            left.image(image, width="stretch")
        right.text(f"{moment.rank}. {moment.file.path.name}")
        right.caption(safe(f"{when(moment)} · score {moment.score:.2f} · {evidence_text(moment.evidence)}"))
        for event in moment.events:
            right.caption(safe(event_text(event)))
        if moment.file.info.kind is not MediaKind.IMAGE and right.toggle("Play", key=f"play-{moment.rank}"):
            show_player(moment)


def show_player(moment: Moment) -> None:
    """The player, from the moment's start to its end, fed by byte ranges."""
    address = f"{(st.context.url or '').rstrip('/')}{MEDIA_ROUTE}/{moment.file.id}"
    play = st.video if moment.file.info.kind is MediaKind.VIDEO else st.audio
    play(address, start_time=moment.start_seconds, end_time=moment.end_seconds, autoplay=True)


main()
