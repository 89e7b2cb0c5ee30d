"""The browser page, as Streamlit runs it: one page that searches, one that shows the library."""

from __future__ import annotations

import streamlit as st

from pesearch.app.library_page import library_page
from pesearch.app.search_page import search_page

st.set_page_config(page_title="pesearch", page_icon="🔎", layout="wide")
st.html("<style>.stMainBlockContainer { padding-top: 4rem; padding-bottom: 2rem; }</style>")
st.navigation(
    [
        st.Page(search_page, title="Search", icon=":material/search:", url_path="search", default=True),
        st.Page(library_page, title="Library", icon=":material/video_library:", url_path="library"),
    ],
    position="top",
).run()
