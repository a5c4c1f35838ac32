"""A picture that moderation holds is let pass by a person, in the running stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .aws import Cloud
from .errors import CannotStart


def release(facts: Mapping[str, Any], key: str) -> str:
    """Ask ingest to serve what is held under ``key``; the SHA-256 of that upload. Raises CannotStart if nothing is."""
    from darkroom.aws.index import Index
    from darkroom.aws.record import HELD
    from darkroom.services.ingest.changes import release_message

    cloud = Cloud(facts["aws_endpoint_url"])
    record = Index(cloud.dynamodb, facts["index_table"]).get(key)
    if record is None or record.state != HELD:
        raise CannotStart(f"{key} is not held: " + (record.state if record else "nothing is known of it"))
    sha256 = str(record.held["sha256"])
    body = json.dumps(release_message(key, sha256))
    cloud.queues.send_message(QueueUrl=facts["queues"]["ingest"], MessageBody=body)
    return sha256
