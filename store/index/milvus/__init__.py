"""Vector search by a Milvus: one collection for each space."""
