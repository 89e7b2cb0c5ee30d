"""pesearch: search inside your own video and audio by what is seen, heard and said."""

__version__ = "0.1.0"
