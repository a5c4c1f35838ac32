"""A distribution in MiniStack with a configurable duration and CloudFront's limit of invalidations.

MiniStack completes an invalidation at once. Here the answers of boto3 are changed on their way, so that those that have
not been let go are in progress; what is invalidated and what is asked is MiniStack's business as before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

LIMIT = 15
"""Wildcards in progress (CloudFront developer guide, "Quotas on invalidations")."""


@dataclass
class HeldDistribution:
    """``held`` has the wildcards of each invalidation in progress, oldest first; ``peak`` is the most there were."""

    client: Any
    distribution_id: str
    held: dict[str, int] = field(default_factory=dict)
    peak: int = 0
    refused: int = 0

    def let_go(self, count: int = 1) -> None:
        """Complete the ``count`` oldest."""
        for invalidation_id in list(self.held)[:count]:
            del self.held[invalidation_id]

    def invalidations(self) -> list[list[str]]:
        """The paths of each invalidation ever created, oldest first."""
        listed = self.client.list_invalidations(DistributionId=self.distribution_id)["InvalidationList"].get(
            "Items", []
        )
        return [self.paths(one["Id"]) for one in listed]

    def paths(self, invalidation_id: str) -> list[str]:
        """The paths of an invalidation."""
        found = self.client.get_invalidation(DistributionId=self.distribution_id, Id=invalidation_id)
        return list(found["Invalidation"]["InvalidationBatch"]["Paths"]["Items"])

    def watch(self) -> None:
        """Stand between boto3 and MiniStack from now on."""
        on = self.client.meta.events.register
        on("before-parameter-build.cloudfront.CreateInvalidation", self._admit)
        on("after-call.cloudfront.CreateInvalidation", self._hold)
        on("after-call.cloudfront.ListInvalidations", self._list)
        on("after-call.cloudfront.GetInvalidation", self._get)

    def _admit(self, params: dict[str, Any], **_: Any) -> None:
        wanted = _wildcards(params["InvalidationBatch"]["Paths"]["Items"])
        if sum(self.held.values()) + wanted > LIMIT:
            self.refused += 1
            error = {"Error": {"Code": "TooManyInvalidationsInProgress", "Message": "too many"}}
            raise ClientError(error, "CreateInvalidation")  # type: ignore[arg-type]

    def _hold(self, parsed: dict[str, Any], **_: Any) -> None:
        if "Invalidation" not in parsed:  # MiniStack refused it
            return
        made = parsed["Invalidation"]
        self.held.setdefault(made["Id"], _wildcards(made["InvalidationBatch"]["Paths"]["Items"]))
        self.peak = max(self.peak, sum(self.held.values()))

    def _list(self, parsed: dict[str, Any], **_: Any) -> None:
        for one in parsed["InvalidationList"].get("Items", []):
            one["Status"] = "InProgress" if one["Id"] in self.held else "Completed"

    def _get(self, parsed: dict[str, Any], **_: Any) -> None:
        if one := parsed.get("Invalidation"):
            one["Status"] = "InProgress" if one["Id"] in self.held else "Completed"


def make_distribution(client: Any) -> HeldDistribution:
    """Create a distribution."""
    origin = {"Id": "media", "DomainName": "media.example.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": uuid4().hex,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "media",
                "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            },
        }
    )
    distribution = HeldDistribution(client, made["Distribution"]["Id"])
    distribution.watch()
    return distribution


def _wildcards(paths: list[str]) -> int:
    return sum(path.endswith("*") for path in paths)
