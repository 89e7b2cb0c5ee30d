"""Encodes the terms of a plan to query vectors."""
