"""Indexes media folders into a library: crawl, survey, decode, embed, commit, watch."""
