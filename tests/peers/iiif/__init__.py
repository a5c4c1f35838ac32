"""Viewers of the IIIF Image API, in Chromium against the service."""
