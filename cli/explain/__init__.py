"""Explain a URL: ``darkroom explain``."""
