"""Object names and prefixes in the buckets."""

from __future__ import annotations

from dataclasses import dataclass

from ..environment import MasterEnvironment
from ..image_keys import decode_key, encode_key


@dataclass(frozen=True, slots=True)
class ObjectNames:
    """Names of objects, one for each key, below ``prefix``.

    ``encoded``: keys are encoded (:func:`darkroom.image_keys.encode_key`), as in every bucket of the deployment but
    that of uploads. In a ``SourceBucket`` names are keys as they are.
    """

    prefix: str
    encoded: bool = True

    def name(self, key: str) -> str:
        """Return the name of the object of ``key``. The name of a prefix of keys is a prefix of their names."""
        return self.prefix + (encode_key(key) if self.encoded else key)

    def key(self, name: str) -> str:
        """Return the key of the object ``name``, which starts with the prefix; raises BadKey if there is none."""
        rest = name.removeprefix(self.prefix)
        return decode_key(rest) if self.encoded else rest


MASTERS = ObjectNames("masters/")
"""Masters, without a ``SourceBucket``."""

HELD_MASTERS = ObjectNames("held/")
"""Masters that are held for moderation."""

DERIVATIVES = "derivatives/"
"""Prefix of derivatives, and of the markers of refused sources among them."""

UPLOADS = ObjectNames("", encoded=False)
"""Uploads, whose names clients choose."""

LIBRARY = "library/"
"""Prefix of bulk jobs: lists of keys, results by key, and reports. They expire after 30 days."""

SCENES = "scenes/"
"""Prefix of parts of large images, until they are assembled. They expire after three days."""


def master_names(environment: MasterEnvironment) -> ObjectNames:
    """Return the names of masters. In a bucket that is not the deployment's they are keys as they are."""
    return ObjectNames(environment.source_prefix, encoded=environment.master_bucket == environment.media_bucket)


def derivatives_prefix(key: str) -> str:
    """Return the prefix of every derivative of ``key``."""
    return f"{DERIVATIVES}{encode_key(key)}/_/"
