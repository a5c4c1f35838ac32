"""The environment of a process that replaces itself."""

from __future__ import annotations

from darkroom.services.deadline import parse_environment


def test_variables_stay() -> None:
    assert parse_environment(b"A=1\0B=x=y\0C=\0") == {"A": "1", "B": "x=y", "C": ""}


def test_the_runtime_does_not_wait_to_be_restored_again() -> None:
    """It would with SnapStart: the request is refused after the restore, and the process ends."""
    assert parse_environment(b"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start\0") == {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"
    }
    provisioned = {"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}
    assert parse_environment(b"AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency\0") == provisioned
