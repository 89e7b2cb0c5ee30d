"""A question into moments: retrieve, calibrate, fuse, locate events, evaluate."""
