"""Measure cold starts from disk: drop cached files before a start, and measure what it reads."""
