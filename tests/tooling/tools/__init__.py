"""Tests of tools for operators, against MiniStack."""
