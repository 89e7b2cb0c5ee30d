"""Indexing on a Ray cluster: the coordinator surveys and commits on this machine, all nodes embed.

Only `session`, `embed` and `feed` import Ray, and only when it is used.
"""
