"""Vector and full-text indexes over a library: FAISS (flat, product quantization), tantivy, Milvus."""
