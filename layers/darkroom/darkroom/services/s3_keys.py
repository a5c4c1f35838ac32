"""Where the buckets have what is not for viewers, and how keys become names of objects."""

from __future__ import annotations

from dataclasses import dataclass

from ..environment import MasterEnvironment
from ..key_encoding import decode_key, encode_key


@dataclass(frozen=True, slots=True)
class ObjectNames:
    """Names of objects, one for each key, below ``prefix``.

    ``encoded``: keys are encoded (:func:`.keys.encode_key`), as in every bucket of this deployment but that of uploads.
    Names in a ``SourceBucket`` are their owner's: there they are keys as they are.
    """

    prefix: str
    encoded: bool = True

    def name(self, key: str) -> str:
        """The name of the object of ``key``. The name of a prefix of keys is a prefix of their names."""
        return self.prefix + (encode_key(key) if self.encoded else key)

    def key(self, name: str) -> str:
        """The key of the object ``name``, which begins with the prefix; raises BadKey if no key has this name."""
        rest = name.removeprefix(self.prefix)
        return decode_key(rest) if self.encoded else rest


MASTERS = ObjectNames("masters/")
"""Masters, unless there is a ``SourceBucket``."""

HELD_MASTERS = ObjectNames("held/")
"""Masters that wait for moderation."""

DERIVATIVES = "derivatives/"
"""Prefix of derivatives, and of the markers of refused sources among them."""

UPLOADS = ObjectNames("", encoded=False)
"""Uploads, whose names are given by clients."""

LIBRARY = "library/"
"""Runs over whole libraries: what was listed, what became of each key, and reports. They expire after 30 days."""

SCENES = "scenes/"
"""Parts of huge pictures, until they are put together. What nobody has deleted expires after three days."""


def master_names(environment: MasterEnvironment) -> ObjectNames:
    """Return the names of masters. In a bucket that is not the deployment's they are keys as they are."""
    return ObjectNames(environment.source_prefix, encoded=environment.master_bucket == environment.media_bucket)


def derivatives_prefix(key: str) -> str:
    """Return the prefix of every derivative of ``key``."""
    return f"{DERIVATIVES}{encode_key(key)}/_/"
