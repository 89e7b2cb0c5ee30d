"""Arrays and text to vectors: PE-Core, PE-AV, PE-A-Frame, the catalogue of model sets, the starter set."""
