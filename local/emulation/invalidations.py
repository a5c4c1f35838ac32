"""Limits and duration of CloudFront invalidations."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

SECONDS = "DARKROOM_INVALIDATION_S"
"""Environment variable: seconds for which an invalidation is in progress. The default, 0, is MiniStack's behaviour."""

MAX_PATH_CHARACTERS = 4_000
"""Maximum length of one path (CloudFront developer guide, "What you need to know when invalidating paths")."""

MAX_FILES = 3_000
MAX_WILDCARDS = 15
"""Maximum paths in progress per distribution, without and with ``*`` (CloudFront developer guide, "Quotas on
invalidations").
"""

_PATH = re.compile(r"/(?:[A-Za-z0-9$\-_.+!'(),;/?:@=&]|%[0-9A-Fa-f]{2})*\*?")
"""All characters except those that RFC 1738 (section 2.2) calls unsafe: these and non-ASCII must be percent-encoded.
``~`` is unsafe, although the guide lists it elsewhere (aws/aws-sdk#525). ``*`` is a wildcard, and is the last
character.
"""

_INVALID = "Your request contains one or more invalid invalidation paths."
_TOO_MANY = "Processing your request will cause you to exceed the maximum number of in-progress wildcard invalidations."


def is_valid(path: str) -> bool:
    """Return whether CreateInvalidation accepts ``path``. An invalid path fails its whole batch."""
    return len(path) <= MAX_PATH_CHARACTERS and _PATH.fullmatch(path) is not None


def find_error(paths: Iterable[str], in_progress: Iterable[str]) -> tuple[str, str] | None:
    """Return code and message of the error for ``paths`` while ``in_progress`` are invalidated; None if accepted."""
    requested = list(paths)
    if not requested or not all(map(is_valid, requested)):
        return "InvalidArgument", _INVALID
    all_paths = [*requested, *in_progress]
    wildcards = sum(path.endswith("*") for path in all_paths)
    if wildcards > MAX_WILDCARDS or len(all_paths) - wildcards > MAX_FILES:
        return "TooManyInvalidationsInProgress", _TOO_MANY
    return None


def refuse_as_cloudfront_does(cloudfront: Any, environment: Mapping[str, str]) -> None:
    """Make CreateInvalidation reject what CloudFront rejects, and keep an invalidation in progress for a time.

    MiniStack 1.5.33 accepts any path, and completes each invalidation at once. ``cloudfront`` is its module.
    """
    lasting_s = float(environment.get(SECONDS, "0"))
    create, listed, get = cloudfront._create_invalidation, cloudfront._list_invalidations, cloudfront._get_invalidation
    ends_s: dict[str, float] = {}

    def update_status(distribution_id: str) -> list[Any]:
        """Update the status of each invalidation; return those in progress."""
        now_s = time.time()
        for known in [known for known, end_s in list(ends_s.items()) if end_s <= now_s]:
            ends_s.pop(known, None)
        found = list(cloudfront._invalidations.get(distribution_id, []))
        for one in found:
            one["Status"] = "InProgress" if one["Id"] in ends_s else "Completed"
        return [one for one in found if one["Id"] in ends_s]

    def create_invalidation(distribution_id: str, body: bytes) -> Any:
        batch = cloudfront._parse_body(body)
        if distribution_id not in cloudfront._distributions or batch is None:
            return create(distribution_id, body)
        running = update_status(distribution_id)
        known = list(cloudfront._invalidations.get(distribution_id, []))
        reference = cloudfront._text(batch, "CallerReference")
        if not any(one["InvalidationBatch"]["CallerReference"] == reference for one in known):
            in_progress = [path for one in running for path in one["InvalidationBatch"]["Paths"]["Items"]]
            if found := find_error(_paths(cloudfront, batch), in_progress):
                return cloudfront._error(*found, 400)
        answer = create(distribution_id, body)
        for one in cloudfront._invalidations[distribution_id][len(known) :]:
            ends_s[one["Id"]] = time.time() + lasting_s
            one["Status"] = "InProgress" if lasting_s else "Completed"
        return answer

    def list_invalidations(distribution_id: str) -> Any:
        update_status(distribution_id)
        return listed(distribution_id)

    def get_invalidation(distribution_id: str, invalidation_id: str) -> Any:
        update_status(distribution_id)
        return get(distribution_id, invalidation_id)

    cloudfront._create_invalidation = create_invalidation
    cloudfront._list_invalidations = list_invalidations
    cloudfront._get_invalidation = get_invalidation


def _paths(cloudfront: Any, batch: Any) -> list[str]:
    """Return the paths of a parsed InvalidationBatch."""
    paths = cloudfront._find(batch, "Paths")
    items = cloudfront._find(paths, "Items") if paths is not None else None
    return [child.text or "" for child in items] if items is not None else []
