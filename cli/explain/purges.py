"""Purges in progress, after which a viewer sees a changed image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import DarkroomError
from darkroom.image_keys import encode_key
from darkroom_pipeline.aws.clients import error_code
from darkroom_pipeline.aws.cloudfront import Distribution

from ..deployment import Deployment, MissingOutput


def read_purges(deployment: Deployment, key: str) -> dict[str, Any]:
    """Return the number of purges that wait, of all keys, and the ids of invalidations in progress that cover ``key``.

    ``error`` is the code of a call that was refused, or empty. A stack without the outputs has no purges.
    """
    found: dict[str, Any] = {"waiting": 0, "invalidations": [], "error": ""}
    try:
        found["waiting"] = _count_messages(deployment)
        found["invalidations"] = [*_list_invalidations(deployment, key)]
    except MissingOutput:
        return found
    except ClientError as error:
        return found | {"error": error_code(error)}
    except DarkroomError as error:
        return found | {"error": error.code}
    return found


def _count_messages(deployment: Deployment) -> int:
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    url = deployment.output("PurgeQueueUrl")
    answer = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
    return sum(int(answer["Attributes"][name]) for name in names)


def _list_invalidations(deployment: Deployment, key: str) -> Iterator[str]:
    distribution = Distribution(deployment.client("cloudfront"), deployment.output("DistributionId"))
    for invalidation_id, paths in distribution.list_in_progress():
        if any(covers_image(path, key) for path in paths):
            yield invalidation_id


def covers_image(path: str, key: str) -> bool:
    """Return whether an invalidated ``path`` covers the derivatives of ``key``, or its bare URL."""
    name = f"/{encode_key(key)}"
    return f"{name}/_/".startswith(path[:-1]) if path.endswith("*") else path == name
