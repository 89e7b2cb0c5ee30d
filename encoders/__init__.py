"""Media arrays and text to vectors: PE-Core, PE-AV, PE-A-Frame, the model registry, the starter set's weights."""
