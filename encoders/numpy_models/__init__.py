"""The text towers and PE-A-Frame's transformer on NumPy, for queries that need not wait for torch to be imported."""
