"""Overlays over the finished image: text, and images below the prefix ``overlays/`` (decision 74).

The core reaches this package by :mod:`.plugin` alone.
"""

OPTION = "ov"

FILES_BELOW = "overlays/"
"""The prefix of images of overlays in the media bucket. Functions have permission to read it."""
