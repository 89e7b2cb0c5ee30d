"""Export of selected moments: tables, playlists, edit decision lists, timelines, and clips cut from the files."""
