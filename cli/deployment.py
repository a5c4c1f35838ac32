"""A deployed stack for commands: clients of its services, outputs, parameters and addresses.

A local stack and one on AWS differ in the session and in endpoints only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.errors import BadKey
from darkroom.image_keys import ObjectNames
from darkroom.signing import parse_signing_keys
from darkroom_pipeline.aws.edge_store import EdgeStore, find_endpoint
from darkroom_pipeline.aws.s3 import ListedObject, S3Bucket

from . import local_stack

if TYPE_CHECKING:
    import boto3

CONNECT_S, READ_S, ATTEMPTS = 5.0, 60.0, 4
WORKERS = 8
_ACCESS_KEY = "test"
"""MiniStack's root user."""


class NoStack(Exception):
    """The stack does not exist. The message names the remedy."""


class MissingOutput(LookupError):
    """The stack was deployed without a part that a command needs."""


OPTIONS_OF_OUTPUTS = {
    **dict.fromkeys(("DropInDistributionId", "DropInDomainName", "LanguageKeysArn"), "Dialects=on"),
    **dict.fromkeys(("LibraryMachineArn", "LibraryFunctionName"), "BulkJobs=on"),
    **dict.fromkeys(("RefineQueueUrl", "RefineDeadLettersUrl", "RefineFunctionName"), "Refine=on"),
    "AccessLogBucketName": "AccessLogDays=1",
    "PopularFunctionName": "Refine=on AccessLogDays=1",
    **dict.fromkeys(("SimilarFunctionName", "VectorTableName"), "SimilarityStore=table"),
    "VectorIndexArns": "SimilarityStore=s3vectors",
    "IngestPriorityQueueUrl": "UrgentUploads=on",
    **dict.fromkeys(
        ("InferQueueUrl", "InferPriorityQueueUrl", "InferDeadLettersUrl", "InferFunctionName"),
        "InferenceMode=lambda",
    ),
    **dict.fromkeys(("InferEndpointName", "ModelGroupName"), "InferenceMode=endpoint"),
}
"""Parameters that a stack needs for an output, by the output."""


QUEUES = {
    "ingest": "IngestQueueUrl",
    "ingest_priority": "IngestPriorityQueueUrl",
    "ingest_dead_letters": "IngestDeadLettersUrl",
    "review": "ReviewQueueUrl",
    "review_dead_letters": "ReviewDeadLettersUrl",
    "purge": "PurgeQueueUrl",
    "purge_dead_letters": "PurgeDeadLettersUrl",
    "refine": "RefineQueueUrl",
    "refine_dead_letters": "RefineDeadLettersUrl",
    "infer": "InferQueueUrl",
    "infer_priority": "InferPriorityQueueUrl",
    "infer_dead_letters": "InferDeadLettersUrl",
}
"""The stack's outputs with queue URLs, by their short names. Without inference there are fewer."""


@dataclass(frozen=True)
class Deployment:
    """A stack. ``endpoints`` are addresses by service, other than AWS's; "" is the default.

    ``info`` is the content of ``stack.json``, empty for a stack on AWS.
    """

    name: str
    region: str
    status: str
    session: boto3.Session
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    cdn_url: str
    upload_url: str
    endpoints: Mapping[str, str] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)
    state: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether the stack runs on this machine."""
        return self.state is not None

    def client(self, service: str, *, read_s: float = READ_S, attempts: int = ATTEMPTS, region: str = "") -> Any:
        """Create a boto3 client of ``service``, in the region of the stack unless another one is named."""
        endpoint = self.endpoints.get(service) or self.endpoints.get("")
        return make_client(self.session, service, endpoint, read_s=read_s, attempts=attempts, region=region)

    def output(self, name: str) -> str:
        """Return an output of the stack. Raises MissingOutput."""
        if name not in self.outputs:
            needs = f"deploy it with {OPTIONS_OF_OUTPUTS[name]}" if name in OPTIONS_OF_OUTPUTS else "it lacks that part"
            raise MissingOutput(f"The stack {self.name} has no output {name}: {needs}.")
        return self.outputs[name]

    def bucket(self, output: str) -> S3Bucket:
        """Return the bucket that an output names. Raises MissingOutput."""
        return S3Bucket(self.client("s3"), self.output(output))

    def edge_store(self) -> EdgeStore:
        """Return the key-value store of the functions at the edge. Raises MissingOutput."""
        return make_edge_store(self.session, self.output("FindingsStoreArn"), self.endpoints.get(""))

    def masters(self) -> tuple[S3Bucket, ObjectNames]:
        """Return the bucket of masters, and the names that keys have in it."""
        return find_masters(self.client("s3"), self.output("MastersUri"), self.output("MediaBucketName"))

    def master_keys(self, below: str = "") -> Iterator[str]:
        """List keys of masters that start with ``below``, without objects that are not named by a key."""
        return (key for key, _ in list_masters(*self.masters(), below))

    def secret(self, output: str) -> dict[str, Any]:
        """Read the secret that an output names, a JSON object. Raises MissingOutput, ClientError."""
        return dict(json.loads(self.read_secret(self.output(output))))

    def read_secret(self, arn: str) -> str:
        """Return the text of a secret. Raises ClientError."""
        return str(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])

    def read_signing_keys(self) -> tuple[str, ...]:
        """Read the valid keys, the current one first. Raises MissingOutput, ClientError, InvalidSecret."""
        return parse_signing_keys(self.secret("SigningKeysArn"))

    @cached_property
    def signing_key(self) -> str:
        """The current key for signed URLs and upload tokens."""
        return str(self.secret("SigningKeysArn")["current"])

    @cached_property
    def functions(self) -> dict[str, str]:
        """Names of the deployed functions by logical id, including those of nested stacks."""
        return dict(self._functions(self.name))

    def _functions(self, stack: str) -> Iterator[tuple[str, str]]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in (one for page in pages for one in page["StackResourceSummaries"]):
            if resource["ResourceType"] == "AWS::Lambda::Function":
                yield resource["LogicalResourceId"], resource["PhysicalResourceId"]
            elif resource["ResourceType"] == "AWS::CloudFormation::Stack":
                yield from self._functions(resource["PhysicalResourceId"])

    def read_configurations(self) -> dict[str, dict[str, Any]]:
        """Read Lambda's configuration of each function, by logical id. Raises ClientError."""
        client = self.client("lambda")
        with ThreadPoolExecutor(WORKERS) as pool:
            found = pool.map(lambda name: client.get_function_configuration(FunctionName=name), self.functions.values())
            return dict(zip(self.functions, map(dict, found), strict=True))

    def invoke(self, function: str, payload: object) -> dict[str, Any]:
        """Invoke a function and return its result. Raises ValueError if it failed."""
        answer = self.client("lambda", read_s=900, attempts=1).invoke(
            FunctionName=function, Payload=json.dumps(payload).encode()
        )
        document: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise ValueError(f"The function failed: {document.get('errorMessage', document)}")
        return document


def find_masters(s3: Any, uri: str, media_bucket: str) -> tuple[S3Bucket, ObjectNames]:
    """Return the bucket at ``uri``, the output MastersUri, and the names that keys have in it."""
    name, _, prefix = uri.removeprefix("s3://").partition("/")
    return S3Bucket(s3, name), ObjectNames(prefix, encoded=name == media_bucket)


def list_masters(
    bucket: S3Bucket, names: ObjectNames, below: str = "", after: str = ""
) -> Iterator[tuple[str, ListedObject]]:
    """List keys of masters that start with ``below``, in the order of their names, behind the key ``after``.

    Objects that are not named by a key are left out.
    """
    for page in bucket.list_pages(names.name(below), start_after=names.name(after) if after else ""):
        for listed in page:
            try:
                key = names.key(listed.key)
            except BadKey:
                continue
            if key.startswith(below) and key and not key.endswith("/"):
                yield key, listed


def make_client(
    session: boto3.Session,
    service: str,
    endpoint: str | None,
    *,
    read_s: float = READ_S,
    attempts: int = ATTEMPTS,
    region: str = "",
) -> Any:
    """Create a boto3 client with limited timeouts."""
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=read_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if endpoint else None,
    )
    return session.client(  # type: ignore[call-overload]
        service, region_name=region or None, endpoint_url=endpoint, config=config
    )


def make_edge_store(session: boto3.Session, arn: str, endpoint: str | None) -> EdgeStore:
    """Return the key-value store ``arn``, which a client of boto3 cannot read without AWS's C library."""
    return EdgeStore(arn, session.get_credentials(), endpoint or find_endpoint())


def read_aws(name: str, region: str | None = None, profile: str | None = None) -> Deployment:
    """Read the stack ``name`` in the account and region of ``profile``, the default profile if it is None.

    Raises NoStack, and what boto3 raises for missing credentials or a missing region.
    """
    import boto3

    region = region or os.environ.get("AWS_REGION")  # boto3 reads AWS_DEFAULT_REGION only
    session = boto3.Session(profile_name=profile, region_name=region)
    described = _describe(make_client(session, "cloudformation", None), name, f"in {session.region_name}")
    outputs, parameters = _pairs(described, "Output"), _pairs(described, "Parameter")
    return Deployment(
        name,
        str(session.region_name),
        str(described["StackStatus"]),
        session,
        outputs,
        parameters,
        outputs.get("CdnUrl", ""),
        outputs.get("UploadApiUrl", ""),
    )


def read_local(state: Path) -> Deployment:
    """Read the stack that runs on this machine with the state folder ``state``. Raises NoStack."""
    import boto3

    try:
        info = local_stack.read(state)
    except ValueError as error:
        raise NoStack(
            f"No stack runs on this machine ({state / 'stack.json'} is missing). Start one with `./darkroom up`, or "
            "name one on AWS with --stack."
        ) from error
    endpoints = {"": str(info["aws_endpoint_url"])}
    if url := info["sagemaker_url"]:
        endpoints |= {"sagemaker": url, "sagemaker-runtime": url}
    session = boto3.Session(_ACCESS_KEY, _ACCESS_KEY, region_name=info["region"])
    cloudformation = make_client(session, "cloudformation", endpoints[""], attempts=1)
    described = _describe(cloudformation, info["stack_name"], f"at {endpoints['']}")
    return Deployment(
        info["stack_name"],
        info["region"],
        str(described["StackStatus"]),
        session,
        _pairs(described, "Output"),
        _pairs(described, "Parameter"),
        info["cdn_url"],
        info["upload_url"],
        endpoints,
        info,
        state,
    )


def read_further_outputs(deployment: Deployment, extension: str, name: str = "") -> dict[str, str]:
    """Return the outputs of the stack of ``extension``, named by its flag, beside ``deployment``.

    ``name`` is the stack's, by default that of ``deployment`` with ``-<extension>``. Raises NoStack.
    """
    where = f"beside {deployment.name}: deploy the extension {extension}, or name its stack by --{extension}-stack"
    cloudformation = deployment.client("cloudformation")
    return _pairs(_describe(cloudformation, name or f"{deployment.name}-{extension}", where), "Output")


def _describe(cloudformation: Any, name: str, where: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    try:
        return dict(cloudformation.describe_stacks(StackName=name)["Stacks"][0])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise NoStack(f"There is no stack {name} {where}.") from error
        raise


def _pairs(described: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {one[f"{kind}Key"]: one.get(f"{kind}Value", "") for one in described.get(f"{kind}s", ())}
