"""The write path: batches, long files as they stream in, compaction, the writer."""
