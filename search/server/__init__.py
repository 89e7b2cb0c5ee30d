"""Warm questions: a process that holds a library and its models answers those of the same user's other processes."""
