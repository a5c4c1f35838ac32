"""Environment variables of the function."""

from __future__ import annotations

from darkroom.environment import MasterEnvironment


class ReviewEnvironment(MasterEnvironment):
    """Variables of the review function. ``issuer`` is the user pool, ``pages_url`` its domain.

    ``keys_url`` is where the pool's keys are; empty is the address that the issuer has them at. ``app_url`` is where
    the app is served by the CDN, with a slash at the end.
    """

    index_table: str
    audit_bucket: str
    review_queue_url: str
    signing_keys_arn: str
    issuer: str
    keys_url: str = ""
    pages_url: str
    client_id: str
    app_url: str
