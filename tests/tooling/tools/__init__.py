"""Tools for operators, against MiniStack."""
