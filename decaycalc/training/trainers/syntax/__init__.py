"""Syntaxes of training files: each makes a tree of a text whose scalars keep text and line."""
