"""Overlays over the finished image: text, and images below the prefix ``overlays/`` (decision 74).

The core loads this package by name, for plans with overlays only.
"""
