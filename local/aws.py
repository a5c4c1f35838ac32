"""Clients and credentials for MiniStack. No call reaches a real AWS account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials

from darkroom_pipeline.aws.edge_store import EdgeStore

from .paths import REGION

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

ACCESS_KEY = "test"
CREDENTIALS = Credentials(ACCESS_KEY, ACCESS_KEY)
"""Credentials of the account's root user in MiniStack, which has all permissions."""


def tool_environment(endpoint_url: str) -> dict[str, str]:
    """Return environment variables for the SAM CLI: the endpoint, fixed credentials, and no AWS setting of the user."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
    }


class EdgeStores:
    """Reads key-value stores of the MiniStack at ``endpoint_url``, again only after a change: the CDN asks often."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._held: dict[str, tuple[str, Mapping[str, str]]] = {}

    def read(self, arn: str) -> Mapping[str, str]:
        """Return the entries of the store ``arn``. Raises Unavailable."""
        store = EdgeStore(arn, CREDENTIALS, self._endpoint_url)
        tag = store.fetch_tag()
        if arn not in self._held or self._held[arn][0] != tag:
            self._held[arn] = tag, store.read()
        return self._held[arn][1]


def _client(service: str) -> Any:
    """Return the attribute of a :class:`Cloud` that is the client of ``service``."""

    def make(cloud: Cloud) -> Any:
        return cloud._session.client(service, endpoint_url=cloud.endpoint_url, config=cloud._config)  # type: ignore[call-overload]

    return cached_property(make)


class Cloud:
    """Clients of the MiniStack at ``endpoint_url``, each created on first use."""

    s3: S3Client = _client("s3")
    """The client for buckets."""

    cloudformation: CloudFormationClient = _client("cloudformation")
    """The client for stacks."""

    cloudfront: CloudFrontClient = _client("cloudfront")
    """The client for distributions."""

    functions: LambdaClient = _client("lambda")
    """The client for Lambda functions."""

    secrets: SecretsManagerClient = _client("secretsmanager")
    """The client for secrets."""

    dynamodb: DynamoDBClient = _client("dynamodb")
    """The client for the index table."""

    queues: SQSClient = _client("sqs")
    """The client for queues."""

    events: EventBridgeClient = _client("events")
    """The client for the event bus."""

    http_apis: ApiGatewayV2Client = _client("apigatewayv2")
    """The client for the upload API."""

    accounts: Any = _client("cognito-idp")
    """The client for user pools."""

    metrics: Any = _client("cloudwatch")
    """The client for CloudWatch metrics."""

    logs: Any = _client("logs")
    """The client for CloudWatch Logs."""

    def __init__(self, endpoint_url: str, region: str = REGION) -> None:
        self.endpoint_url = endpoint_url
        self.credentials = CREDENTIALS
        self._session = boto3.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=region
        )
        self._config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, read_timeout=120)

    def read_outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a deployed stack by name. Raises ClientError if there is none."""
        [found] = self.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def edge_store(self, arn: str) -> EdgeStore:
        """Return the key-value store ``arn``."""
        return EdgeStore(arn, self.credentials, self.endpoint_url)
