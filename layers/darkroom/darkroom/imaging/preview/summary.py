"""What the index stores about the look of an image, computed from one small sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import pyvips

from .describe import encode_placeholder, find_dominant_colour
from .phash import compute_perceptual_hash


class ImageSummary(ABC):
    """Hashes and colours of an image, or of its first frame. The sample is rendered once, on demand."""

    @cached_property
    def thumbhash(self) -> str:
        """The ThumbHash, as base64."""
        return encode_placeholder(self.sample)

    @cached_property
    def dominant(self) -> str:
        """The dominant colour, as ``#rrggbb``."""
        return find_dominant_colour(self.sample)

    @cached_property
    def perceptual_hash(self) -> str:
        """A hash of 64 bits that copies of the image share, as 16 hex digits (:mod:`.phash`)."""
        return compute_perceptual_hash(self.sample)

    @cached_property
    def sample(self) -> pyvips.Image:
        """The image as :func:`.describe.make_sample_plan` renders it."""
        return self._make_sample()

    @abstractmethod
    def _make_sample(self) -> pyvips.Image:
        """Render the sample."""
