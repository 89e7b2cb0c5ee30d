"""Indexing on a Ray cluster: plan and commits stay where `pesearch index` runs, files are embedded on all nodes.

Ray is imported here only, by `session` and `feed`, when it is used.
"""
