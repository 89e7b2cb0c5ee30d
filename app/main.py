"""The script that Streamlit runs for each page view: search and library, or onboarding while there is no library."""

from __future__ import annotations

import streamlit as st

from pesearch.app.library_page import library_page
from pesearch.app.onboarding_page import CREATED_HERE, onboarding_page
from pesearch.app.search_page import search_page
from pesearch.app.server_state import has_library

st.set_page_config(page_title="pesearch", page_icon="🔎", layout="wide")
st.html("<style>.stMainBlockContainer { padding-top: 4rem; padding-bottom: 2rem; }</style>")
if has_library():
    library = st.Page(library_page, title="Library", icon=":material/video_library:", url_path="library")
    search = st.Page(search_page, title="Search", icon=":material/search:", url_path="search", default=True)
    page = st.navigation([search, library], position="top")
    if st.session_state.pop(CREATED_HERE, False):
        st.switch_page(library)
else:
    page = st.navigation([st.Page(onboarding_page, title="New library", default=True)], position="hidden")
page.run()
