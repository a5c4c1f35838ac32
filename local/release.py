"""A picture that moderation holds is let pass by a person, in the running stack."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Any

from .aws import Cloud
from .errors import StartError


def release(facts: Mapping[str, Any], key: str) -> str:
    """Ask ingest to serve what is held under ``key``; the SHA-256 of that upload. Raises CannotStart if nothing is."""
    from darkroom.aws.index import Index
    from darkroom.aws.sqs import Queue
    from tools.review import NotHeld, decide

    cloud = Cloud(facts["aws_endpoint_url"])
    index, queue = Index(cloud.dynamodb, facts["index_table"]), Queue(cloud.queues, facts["queues"]["review"])
    try:
        return str(decide(index, queue, key, "release", getpass.getuser()).held["sha256"])
    except NotHeld as error:
        raise StartError(error.message) from error
