"""Invalidation paths that the emulator rejects, and the coverage of accepted ones."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from cloudfront_local.patterns import is_invalidated
from local.emulation.invalidations import MAX_FILES, MAX_WILDCARDS, find_error, is_valid
from tests.component.services.cloudfront import make_distribution


@pytest.mark.parametrize(
    "path",
    ["/", "/*", "/a.jpg", "/a.jpg/_/*", "/a%20b%C3%A9.jpg", "/a-b_c.d/e!f'(g),h;i:j@k&l=m+n$o?p", "/" + "x" * 3999],
)
def test_documented_paths_are_accepted(path: str) -> None:
    assert is_valid(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "a.jpg", "*", "/a*/b", "/*.jpg", "/a**", "/~a.jpg", "/a b.jpg", "/\u00e9.jpg", "/a%2", "/a%zz", "/a%"),
        *(f"/a{unsafe}b" for unsafe in '<>"#{}|\\^[]`'),
        "/" + "x" * 4000,
    ],
)
def test_unsafe_paths_are_rejected(path: str) -> None:
    assert not is_valid(path)
    assert find_error(["/good.jpg", path], []) == (
        "InvalidArgument",
        "Your request contains one or more invalid invalidation paths.",
    )


def test_paths_in_progress_count_by_their_kind() -> None:
    wildcards, files = ["/w/*"] * MAX_WILDCARDS, ["/f"] * MAX_FILES
    assert find_error(wildcards + files, []) is None
    assert find_error(["/f"], wildcards) is None
    for wanted, in_progress in ((["/w/*"], wildcards), (["/f"], files), ([*wildcards, "/w/*"], [])):
        assert (find_error(wanted, in_progress) or ("",))[0] == "TooManyInvalidationsInProgress"


def test_an_encoded_tilde_does_not_cover_an_object_cached_with_a_raw_one() -> None:
    assert not is_invalidated("/a~b.jpg", "/a%7Eb.jpg")
    assert not is_invalidated("/a~b.jpg/_/w-320.webp", "/a%7Eb.jpg/_/*")
    assert is_invalidated("/a%7Eb.jpg", "/a%7Eb.jpg")


def test_one_bad_path_fails_the_whole_batch(aws: Any) -> None:
    distribution = make_distribution(aws("cloudfront"))

    def create(*paths: str) -> Any:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": uuid4().hex}
        return distribution.client.create_invalidation(
            DistributionId=distribution.distribution_id, InvalidationBatch=batch
        )

    with pytest.raises(ClientError) as refused:
        create("/a.jpg", "/~.jpg", "/b.jpg")
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert distribution.invalidations() == []
    create("/a.jpg", "/b.jpg")
    assert distribution.invalidations() == [["/a.jpg", "/b.jpg"]]
