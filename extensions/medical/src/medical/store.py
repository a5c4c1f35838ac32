"""Names of objects in both buckets of the stack."""

from __future__ import annotations

from urllib.parse import unquote_plus

INCOMING, STAT, QUARANTINE = "incoming/", "incoming/stat/", "quarantine/"
"""Prefixes of the bucket of uploads. Uploads below ``STAT`` have a queue of their own."""

STUDIES = "studies/"


def instance_prefix(study: str, series: str, instance: str = "") -> str:
    """Return the prefix of the objects of an instance, or of all instances of a series."""
    return f"{STUDIES}{study}/{series}/{instance + '/' if instance else ''}"


def document_name(study: str, series: str, instance: str) -> str:
    """Return the name of the document that describes an instance."""
    return instance_prefix(study, series, instance) + "instance.json"


def overlay_name(master: str, number: int) -> str:
    """Return the name of an overlay of the master with the name ``master``."""
    return f"{master.removesuffix('.tif')}.overlay-{number}.png"


def unquote_event_key(key: str) -> str:
    """Return the key in an event of S3, which encodes it like a form."""
    return unquote_plus(key)
