"""Vector search on Milvus: one collection per space."""
