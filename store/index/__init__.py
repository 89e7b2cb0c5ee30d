"""Search over the rows of a library: flat, IVF with RaBitQ, full text, or a Milvus."""
