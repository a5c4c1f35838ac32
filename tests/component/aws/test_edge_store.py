"""CloudFront's key-value stores by SigV4A: what is sent, what the engine refuses, and what callers see of failures."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse, HeadersDict
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError

from darkroom.errors import Unavailable
from darkroom_pipeline.aws.edge_store import ATTEMPTS, SERVICE, EdgeStore, StoreConflict, connect_edge_store
from darkroom_pipeline.aws.sigv4a import SigV4AAuth
from local import tool_venvs

from .faulty import HANG_UP, Reply, answering

OWN = Credentials("test", "test")
ON_AWS = "arn:aws:cloudfront::111122223333:key-value-store/0a1b2c3d-0000-4000-8000-000000000000"

BY_CRT = """
import sys
from botocore.awsrequest import AWSRequest, AWSResponse, HeadersDict
from botocore.credentials import Credentials
from botocore.crt.auth import CrtSigV4AsymAuth
from botocore.httpsession import URLLib3Session

request = AWSRequest("GET", sys.argv[1])
CrtSigV4AsymAuth(Credentials("test", "test"), "cloudfront-keyvaluestore", "*").add_auth(request)
print(URLLib3Session().send(request.prepare()).status_code)
"""
"""Signs and sends a request by AWS's C library, which the SAM CLI brings along."""


@pytest.fixture
def store(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> EdgeStore:
    made = aws("cloudfront").create_key_value_store(Name=f"edge-store-{uuid4().hex[:8]}")
    return connect_edge_store(made["KeyValueStore"]["ARN"], aws_environment)


def url_of(store: EdgeStore) -> str:
    return f"{store.endpoint_url}/key-value-stores/{quote(store.arn, safe='')}"


def cause_of(error: Unavailable) -> Any:
    return error.__cause__


def test_entries_are_written_read_in_pages_and_deleted(store: EdgeStore) -> None:
    assert store.read() == {}
    written = {f"key {number}/é": f'"{number}"\n' for number in range(120)}
    store.update(written)
    assert store.read() == written
    tag = store.fetch_tag()
    store.update({"key 0/é": "other", "new": ""}, ["key 1/é", "key 2/é"])
    expected = {key: value for key, value in written.items() if key not in ("key 1/é", "key 2/é")}
    assert store.read() == {**expected, "key 0/é": "other", "new": ""}
    assert store.fetch_tag() != tag


class Overtaken(EdgeStore):
    """Another writer is faster, ``times``."""

    times = 1

    def fetch_tag(self) -> str:
        tag = super().fetch_tag()
        if type(self).times:
            type(self).times -= 1
            EdgeStore(self.arn, self.credentials, self.endpoint_url).update({"findings": "theirs"})
        return tag


def test_of_two_writers_one_is_refused_and_put_repeats(store: EdgeStore) -> None:
    slow = Overtaken(store.arn, store.credentials, store.endpoint_url)
    with pytest.raises(StoreConflict):
        slow.update({"findings": "mine"})
    assert store.read() == {"findings": "theirs"}
    Overtaken.times = ATTEMPTS - 1
    slow.put({"findings": "mine"})
    assert store.read() == {"findings": "mine"}
    Overtaken.times = ATTEMPTS
    with pytest.raises(StoreConflict):
        slow.put({"findings": "again"})


def test_a_store_that_is_missing_is_named(store: EdgeStore) -> None:
    with pytest.raises(Unavailable) as raised:
        EdgeStore(f"{store.arn}x", OWN, store.endpoint_url).read()
    assert cause_of(raised.value).response["Error"]["Code"] == "ResourceNotFoundException"
    assert f"{store.arn}x was not found" in raised.value.detail


def test_without_credentials_nothing_is_sent() -> None:
    with answering(Reply()) as server, pytest.raises(Unavailable) as raised:
        EdgeStore(ON_AWS, None, server.url).read()
    assert (type(cause_of(raised.value)), server.requests) == (NoCredentialsError, [])


# ----------------------------------------------------------------- signatures


class OtherRegion(SigV4AAuth):
    """Signs for one other region."""

    def _modify_request_before_signing(self, request: Any) -> None:
        super()._modify_request_before_signing(request)
        del request.headers["X-Amz-Region-Set"]
        request.headers["X-Amz-Region-Set"] = "eu-west-1"


def nothing(request: AWSRequest) -> None:
    pass


def altered_path(request: AWSRequest) -> None:
    SigV4AAuth(OWN, SERVICE).add_auth(request)
    request.url = f"{request.url}/keys"


def altered_signature(request: AWSRequest) -> None:
    SigV4AAuth(OWN, SERVICE).add_auth(request)
    signed = request.headers["Authorization"]
    del request.headers["Authorization"]
    request.headers["Authorization"] = signed[:-2] + ("00" if signed[-2:] != "00" else "01")


@pytest.mark.parametrize(
    ("sign", "status"),
    [
        (SigV4AAuth(OWN, SERVICE).add_auth, 200),
        (nothing, 403),
        (SigV4Auth(OWN, SERVICE, "us-east-1").add_auth, 403),
        (SigV4AAuth(Credentials("test", "other"), SERVICE).add_auth, 403),
        (SigV4AAuth(Credentials("AKIDEXAMPLE", "test"), SERVICE).add_auth, 403),
        (SigV4AAuth(OWN, "cloudfront").add_auth, 403),
        (OtherRegion(OWN, SERVICE).add_auth, 403),
        (altered_path, 403),
        (altered_signature, 403),
    ],
    ids=["ours", "none", "version 4", "secret", "key", "service", "region", "path", "signature"],
)
def test_the_engine_refuses_what_is_not_signed_as_cloudfront_requires(
    store: EdgeStore, sign: Callable[[AWSRequest], None], status: int
) -> None:
    request = AWSRequest("GET", url_of(store))
    sign(request)
    answer = urllib3.request("GET", str(request.url), headers=dict(request.headers.items()))
    assert answer.status == status, answer.data


def test_the_body_is_signed(store: EdgeStore) -> None:
    body = json.dumps({"Puts": [{"Key": "findings", "Value": "2"}], "Deletes": []})
    request = AWSRequest("POST", f"{url_of(store)}/keys", {"If-Match": store.fetch_tag()}, body.encode())
    SigV4AAuth(OWN, SERVICE).add_auth(request)
    headers = dict(request.headers.items())
    assert urllib3.request("POST", str(request.url), headers=headers, body=body.replace("2", "3")).status == 403
    assert urllib3.request("POST", str(request.url), headers=headers, body=body).status == 200
    assert store.read() == {"findings": "2"}


def test_the_engine_accepts_a_signature_of_awss_c_library(store: EdgeStore) -> None:
    python = tool_venvs.python_path("sam")
    done = subprocess.run([python, "-c", BY_CRT, url_of(store)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("200\n", "")


def assume(aws: Callable[[str], Any], store: EdgeStore, *actions: str) -> EdgeStore:
    """The store, as a role with ``actions`` on it sees it."""
    name, effect = f"edge-{uuid4().hex[:8]}", {"Effect": "Allow"}
    trusted = {**effect, "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    allowed = {**effect, "Action": [f"{SERVICE}:{action}" for action in actions], "Resource": store.arn}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (trusted, allowed)]
    iam = aws("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="edge", PolicyDocument=documents[1])
    found = aws("sts").assume_role(RoleArn=role, RoleSessionName="edge")["Credentials"]
    given = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    return EdgeStore(store.arn, given, store.endpoint_url)


def test_a_role_may_do_what_its_policy_allows(aws: Callable[[str], Any], store: EdgeStore) -> None:
    assume(aws, store, "DescribeKeyValueStore", "ListKeys", "UpdateKeys").update({"findings": "2"})
    reader = assume(aws, store, "DescribeKeyValueStore", "ListKeys")
    assert reader.read() == {"findings": "2"}
    with pytest.raises(Unavailable) as raised:
        reader.update({"findings": "3"})
    assert isinstance(cause_of(raised.value), ClientError)
    assert "AccessDenied" in raised.value.detail
    forged = EdgeStore(store.arn, Credentials(reader.credentials.access_key, "x", reader.credentials.token))
    with pytest.raises(Unavailable):
        EdgeStore(store.arn, forged.credentials, store.endpoint_url).read()
    assert store.read() == {"findings": "2"}


# ----------------------------------------------------------------- AWS


@pytest.fixture
def by_boto3() -> Callable[..., tuple[str, str, Any, str | None]]:
    """What boto3's client sends for an operation: method, URL, document and If-Match. It validates its parameters."""

    def send(operation: str, **parameters: Any) -> tuple[str, str, Any, str | None]:
        client = boto3.client(SERVICE, region_name="eu-central-1", config=Config(signature_version=UNSIGNED))
        sent: list[Any] = []

        def stop(request: Any, **_: Any) -> None:
            sent.append(request)
            raise InterruptedError

        client.meta.events.register("before-send", stop)
        with pytest.raises(InterruptedError):
            getattr(client, operation)(KvsARN=ON_AWS, **parameters)
        return describe(sent[0])

    return send


def describe(request: Any) -> tuple[str, str, Any, str | None]:
    """Method, URL, document and If-Match of a request."""
    tag = request.headers.get("If-Match")
    document = json.loads(request.body) if request.body else None
    return request.method, request.url, document, tag.decode() if isinstance(tag, bytes) else tag


class Watched(EdgeStore):
    """A store whose requests are answered here, and kept."""

    sent: tuple[Any, ...] = ()

    def _send(self, request: AWSRequest) -> Any:
        type(self).sent += (describe(request.prepare()),)
        raw = urllib3.HTTPResponse(BytesIO(b'{"Items": []}'), preload_content=False)
        return AWSResponse(str(request.url), 200, HeadersDict({"ETag": "E1"}), raw)


def test_what_is_sent_to_aws_is_what_its_client_sends(by_boto3: Callable[..., Any]) -> None:
    monitored = Watched(ON_AWS, OWN)
    monitored.fetch_tag()
    monitored.update({"a é/b": "1"}, ["c"])
    monitored.read()
    changed = {"Puts": [{"Key": "a é/b", "Value": "1"}], "Deletes": [{"Key": "c"}]}
    described = by_boto3("describe_key_value_store")
    updated, listed = by_boto3("update_keys", IfMatch="E1", **changed), by_boto3("list_keys", MaxResults=50)
    assert Watched.sent == (described, described, updated, listed)


@pytest.mark.parametrize("reply", [Reply(503), Reply(429), Reply(500), HANG_UP])
def test_a_passing_failure_is_repeated(reply: Any) -> None:
    with answering(reply, reply, Reply(200, b"{}", {"ETag": "E1"})) as server:
        assert EdgeStore(ON_AWS, OWN, server.url).fetch_tag() == "E1"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("reply", "cause", "attempts"),
    [(Reply(503), ClientError, ATTEMPTS), (HANG_UP, HTTPClientError, ATTEMPTS), (Reply(403), ClientError, 1)],
)
def test_a_lasting_failure_is_reported(reply: Any, cause: type[Exception], attempts: int) -> None:
    with answering(reply) as server, pytest.raises(Unavailable) as raised:
        EdgeStore(ON_AWS, OWN, server.url).fetch_tag()
    assert isinstance(cause_of(raised.value), cause)
    assert len(server.requests) == attempts


def test_the_endpoint_is_that_of_boto3s_variables() -> None:
    one, other = "http://localhost:1", "http://localhost:2"
    assert connect_edge_store(ON_AWS, {"AWS_ENDPOINT_URL": one}).endpoint_url == one
    named = {"AWS_ENDPOINT_URL": one, "AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE": other}
    assert connect_edge_store(ON_AWS, named).endpoint_url == other
    assert connect_edge_store(ON_AWS, {}).endpoint_url == ""


def test_a_deleted_store_leaves_nothing_to_the_next_one_of_its_name(
    aws: Callable[[str], Any], aws_environment: dict[str, str]
) -> None:
    name, stacks = f"edge-store-{uuid4().hex[:8]}", aws("cloudformation")
    properties = {"Type": "AWS::CloudFront::KeyValueStore", "Properties": {"Name": name}}
    template = json.dumps(
        {
            "Resources": {"Store": properties},
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Store", "Arn"]}}},
        }
    )

    def create() -> EdgeStore:
        stacks.create_stack(StackName=name, TemplateBody=template)
        stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        [output] = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        return connect_edge_store(output["OutputValue"], aws_environment)

    create().update({"findings": "2"}, [])
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    assert create().read() == {}
