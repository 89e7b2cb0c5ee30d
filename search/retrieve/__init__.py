"""Retrieval: vector and cue searches, fused to the parts of files to score in full."""
