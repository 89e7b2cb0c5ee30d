"""Vector and full-text indexes over a library: FAISS (flat, IVF with RaBitQ), tantivy, Milvus."""
