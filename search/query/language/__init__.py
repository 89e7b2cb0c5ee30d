"""The query language: lexer, parser and syntax tree. Every syntax error has a column."""
