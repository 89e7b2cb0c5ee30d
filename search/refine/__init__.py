"""Last stage: the best parts rescored, expanded and located."""
