"""The observer based on Powertools and the X-Ray SDK: it adds segments of boto3 calls and nothing else."""

from __future__ import annotations

import json

import pytest

from .observed_process import BEFORE, LAMBDA, PARENT, SENDER, TRACE, Observed, watch

WORK = """
from botocore.exceptions import ClientError
from darkroom_pipeline.aws import clients
from darkroom_pipeline.aws.powertools import PowertoolsObserver as Observer
from darkroom_pipeline.aws.s3 import S3Bucket

observer = Observer("ingest")
s3 = clients.create_client("s3")
with observer.message("change"):
    with observer.step("fetch"):
        assert S3Bucket(s3, "no-such-bucket").head("a-users-key") is None
    with observer.step("read"):
        try:
            s3.get_object(Bucket="no-such-bucket", Key="a-users-key")
        except ClientError:
            pass
with observer.message("change", trace_header=BEFORE), observer.step("again"):
    assert S3Bucket(s3, "no-such-bucket").head("a-users-key") is None
""".replace("BEFORE", repr(f"Root={BEFORE};Parent={SENDER};Sampled=1"))


@pytest.fixture(scope="module")
def observed(aws_environment: dict[str, str]) -> Observed:
    return watch(WORK, LAMBDA | aws_environment)


def test_a_line_is_written_once_although_lambda_has_a_handler_of_its_own(aws_environment: dict[str, str]) -> None:
    """Its runtime sets the root logger up before it loads a function."""
    work = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="Lambda's: %(message)s")
from darkroom_pipeline.aws.powertools import PowertoolsObserver as Observer
Observer("ingest").log("INFO", "once")
logging.getLogger("botocore").warning("twice")
"""
    first, second = watch(work, LAMBDA | aws_environment).lines
    assert json.loads(first)["message"] == "once"
    assert second == "Lambda's: twice"


def test_calls_of_aws_are_below_their_step(observed: Observed) -> None:
    calls = {found["parent_id"]: found for found in observed.received if found["name"] == "s3"}
    for step, operation in (("fetch", "HeadObject"), ("read", "GetObject"), ("again", "HeadObject")):
        call = calls[observed.by_name[step]["id"]]
        assert (call["namespace"], call["aws"]["operation"]) == ("aws", operation)


def test_a_failed_call_records_its_error_without_the_message(observed: Observed) -> None:
    [call] = [found for found in observed.received if found.get("aws", {}).get("operation") == "GetObject"]
    assert call["http"]["response"]["status"] == 404
    [cause] = call["cause"]["exceptions"]
    assert cause["type"] == "NoSuchBucket"
    assert "message" not in cause


def test_keys_of_objects_are_recorded_nowhere(observed: Observed) -> None:
    assert "a-users-key" not in json.dumps(observed.received) + "".join(observed.lines)


def test_steps_of_a_trace_that_is_continued_are_in_it(observed: Observed) -> None:
    segments = {found["id"]: found for found in observed.received if found.get("origin")}
    again = observed.by_name["again"]
    assert again["parent_id"] in segments
    assert segments[again["parent_id"]]["parent_id"] == SENDER
    assert observed.by_name["change"]["parent_id"] == PARENT
    assert observed.by_name["change"]["trace_id"] == TRACE
