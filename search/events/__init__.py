"""Sound event detection with PE-A-Frame."""
