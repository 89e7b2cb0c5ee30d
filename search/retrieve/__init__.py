"""First stage: the parts of files that may answer, by vectors and by cues."""
