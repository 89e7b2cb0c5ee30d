"""A library on disk: DuckDB catalogue, Arrow shards, FAISS indexes, generations and the lock."""
