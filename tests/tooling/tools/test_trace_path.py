"""The files that one upload and one request enter, in functions on MiniStack."""

from __future__ import annotations

import pytest

from tools.trace_path import measure

MOST_CHANGES = {"request": 343, "upload": 905}
"""Changes of file: calls from one file into another. With more, the path is harder to follow."""


@pytest.mark.slow
def test_an_upload_and_a_request_change_file_no_more_often() -> None:
    found = measure()
    assert found["upload"]["calls"]["functions/ingest/app.py"]
    assert {name: one["changes"] for name, one in found.items() if one["changes"] > MOST_CHANGES[name]} == {}
