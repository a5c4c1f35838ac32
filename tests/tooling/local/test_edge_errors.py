"""Errors that CloudFront and Lambda answer themselves, in the console's list of failures."""

from __future__ import annotations

import pytest

from darkroom.errors import TimedOut, Unreachable
from local.console_api.edge_errors import REASONS, EdgeErrors


@pytest.mark.parametrize(
    ("status", "code", "listed"),
    [
        (429, "", "throttled"),
        (502, "", "unreachable"),
        (502, Unreachable.code, "unreachable"),
        (503, "", "edge-failed"),
        (504, TimedOut.code, "timed-out"),
        (503, "unavailable", None),
        (429, "too-many-uploads", None),
        (500, "internal", None),
        (404, "", None),
        (200, "", None),
    ],
)
def test_what_no_function_answered_is_listed(status: int, code: str, listed: str | None) -> None:
    errors = EdgeErrors()
    errors.note("/trips/rome.jpg", status, code, 100.0)
    found = [(one["kind"], one["key"], one["code"]) for one in errors.list_since(50.0)]
    assert found == ([("edge", "trips/rome.jpg", listed)] if listed else [])
    assert list(errors.list_since(101.0)) == []


def test_the_pages_of_errors_have_the_codes_of_the_list() -> None:
    assert {REASONS[one.status][0] for one in (Unreachable, TimedOut)} == {Unreachable.code, TimedOut.code}
