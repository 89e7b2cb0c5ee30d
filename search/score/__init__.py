"""Second stage: calibrated scores over the time of a part, and their intervals."""
