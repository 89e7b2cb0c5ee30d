"""Chosen moments to take along: lists, edit lists, and clips of their own."""
