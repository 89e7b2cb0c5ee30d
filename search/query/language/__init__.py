"""The query language: from a text to a tree, with a place for every mistake."""
