"""Sound events in time, by PE-A-Frame."""
