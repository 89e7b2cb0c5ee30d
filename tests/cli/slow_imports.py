"""What takes a command the longest: half of the time of a question is spent on importing this."""

from pesearch.encoders.libraries import load_open_clip, load_transformers

load_transformers()
load_open_clip()
