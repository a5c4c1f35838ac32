"""What the index and placeholders know of how a picture looks, from one small sample of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import pyvips

from .describe import encode_placeholder, find_dominant_colour
from .phash import compute_perceptual_hash


class ImageSummary(ABC):
    """A picture, or the first frame of one, whose sample is developed when it is asked for, once."""

    @cached_property
    def thumbhash(self) -> str:
        """The ThumbHash, as base64."""
        return encode_placeholder(self.sample)

    @cached_property
    def dominant(self) -> str:
        """The colour of most of it, as ``#rrggbb``."""
        return find_dominant_colour(self.sample)

    @cached_property
    def perceptual_hash(self) -> str:
        """64 bits that copies of it share, as 16 hex digits (:mod:`.fingerprint`)."""
        return compute_perceptual_hash(self.sample)

    @cached_property
    def sample(self) -> pyvips.Image:
        """The picture as :func:`.describe.sample_plan` has it."""
        return self._make_sample()

    @abstractmethod
    def _make_sample(self) -> pyvips.Image:
        """Develop the sample."""
