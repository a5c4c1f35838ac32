"""Authenticity, an extension."""
