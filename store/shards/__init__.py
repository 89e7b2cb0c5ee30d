"""Shards: immutable Arrow IPC files of vectors and codec features."""
