"""Competitors, a folder each."""
