"""Invalidations, against MiniStack and against scripted responses of CloudFront."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from cloudfront_local.patterns import is_invalidated
from darkroom.errors import InvalidPath, TooManyInvalidations, Unavailable
from darkroom_pipeline.aws import clients
from darkroom_pipeline.aws.cloudfront import Distribution

from .faulty import Reply, answering, error

_numbers = itertools.count(1)
XML = {"Content-Type": "text/xml"}


@pytest.fixture(scope="session")
def cloudfront(aws_environment: dict[str, str]) -> Any:
    return clients.create_client("cloudfront", aws_environment)


@pytest.fixture
def distribution(cloudfront: Any) -> str:
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": "p"}
    origin = {"Id": "o", "DomainName": "example.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        "CallerReference": uuid4().hex,
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    return str(cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"])


def paths_of(cloudfront: Any, distribution: str, invalidation: str) -> list[str]:
    found = cloudfront.get_invalidation(DistributionId=distribution, Id=invalidation)
    return list(found["Invalidation"]["InvalidationBatch"]["Paths"]["Items"])


def test_paths_are_invalidated_as_the_edge_writes_them(cloudfront: Any, distribution: str) -> None:
    cdn = Distribution(cloudfront, distribution)
    paths = ["/gr%C3%B6%C3%9Fe%20%2B%25%2A.jpg/_/*", "/gr%C3%B6%C3%9Fe%20%2B%25%2A.jpg"]
    found = paths_of(cloudfront, distribution, cdn.invalidate(paths, "one"))
    assert sorted(found) == sorted(paths)
    assert any(is_invalidated("/gr%C3%B6%C3%9Fe%20%2B%25%2A.jpg/_/w=320.auto-webp", path) for path in found)
    assert cdn.count_wildcards_in_progress() == 0


def test_paths_are_sent_once_and_as_they_are() -> None:
    with answering(invalidation("/a")) as faulty:
        cdn = Distribution(clients.create_client("cloudfront", faulty.environment), "E1")
        cdn.invalidate(["/größe 1.jpg/_/*", "/a", "/a"], "one")
    [(_, _, sent)] = faulty.requests
    body = sent.decode()
    assert re.findall("<Path>(.*?)</Path>", body) == ["/größe 1.jpg/_/*", "/a"]


def test_a_path_that_is_not_encoded_is_refused(cloudfront: Any, distribution: str) -> None:
    with pytest.raises(InvalidPath) as caught:
        Distribution(cloudfront, distribution).invalidate(["/größe 1.jpg/_/*"], "one")
    assert "InvalidArgument" in caught.value.detail


def test_a_repeat_is_the_same_invalidation(cloudfront: Any, distribution: str) -> None:
    cdn = Distribution(cloudfront, distribution)
    first = cdn.invalidate(["/a/_/*"], "reference")
    assert cdn.invalidate(["/a/_/*"], "reference") == first
    assert cdn.invalidate(["/a/_/*"], "another") != first


def test_an_unknown_distribution_is_a_fault(cloudfront: Any) -> None:
    with pytest.raises(Unavailable) as caught:
        Distribution(cloudfront, "E404").invalidate(["/a"], "one")
    assert not isinstance(caught.value, TooManyInvalidations)


def test_too_many_at_a_time_has_its_own_error() -> None:
    with answering(error(400, "TooManyInvalidationsInProgress")) as faulty:
        cdn = Distribution(clients.create_client("cloudfront", faulty.environment), "E1")
        with pytest.raises(TooManyInvalidations) as caught:
            cdn.invalidate(["/a/_/*"], "one")
    assert len(faulty.requests) == 1
    assert caught.value.retryable
    assert "secret words" not in caught.value.message


def listing(statuses: Mapping[str, str], marker: str = "") -> Reply:
    items = "".join(
        f"<InvalidationSummary><Id>{name}</Id><CreateTime>2026-11-25T00:00:00Z</CreateTime>"
        f"<Status>{status}</Status></InvalidationSummary>"
        for name, status in statuses.items()
    )
    following = f"<IsTruncated>true</IsTruncated><NextMarker>{marker}</NextMarker>"
    body = (
        f"<InvalidationList><Marker></Marker><MaxItems>100</MaxItems>"
        f"{following if marker else '<IsTruncated>false</IsTruncated>'}"
        f"<Quantity>{len(statuses)}</Quantity><Items>{items}</Items></InvalidationList>"
    )
    return Reply(200, body.encode(), XML)


def invalidation(*paths: str) -> Reply:
    items = "".join(f"<Path>{path}</Path>" for path in paths)
    body = (
        "<Invalidation><Id>I</Id><Status>InProgress</Status><CreateTime>2026-11-25T00:00:00Z</CreateTime>"
        f"<InvalidationBatch><Paths><Quantity>{len(paths)}</Quantity><Items>{items}</Items></Paths>"
        "<CallerReference>r</CallerReference></InvalidationBatch></Invalidation>"
    )
    return Reply(200, body.encode(), XML)


def test_wildcards_under_way_are_counted_over_pages() -> None:
    script = (
        listing({"I1": "InProgress", "I2": "Completed"}, marker="I2"),
        invalidation("/a/_/*", "/a"),
        listing({"I3": "InProgress"}, marker="I3"),
        invalidation("/b/_/*", "/c/_/*", "/c"),
        listing({"I4": "Completed"}, marker="I4"),
        error(500, "InternalError"),
    )
    with answering(*script) as faulty:
        assert (
            Distribution(clients.create_client("cloudfront", faulty.environment), "E1").count_wildcards_in_progress()
            == 3
        )
    assert len(faulty.requests) == 5


def test_no_invalidation_at_all_is_none_under_way() -> None:
    with answering(listing({})) as faulty:
        assert (
            Distribution(clients.create_client("cloudfront", faulty.environment), "E1").count_wildcards_in_progress()
            == 0
        )
