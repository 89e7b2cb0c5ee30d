"""A library on disk: DuckDB catalogue, Arrow vector shards, FAISS indexes, generations and the lock."""
