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


class Cloud:
    """Clients of the MiniStack at ``endpoint_url``, each created on first use."""

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

    @cached_property
    def s3(self) -> S3Client:
        """Return the client for buckets."""
        return self._session.client("s3", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """Return the client for stacks."""
        return self._session.client("cloudformation", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def cloudfront(self) -> CloudFrontClient:
        """Return the client for distributions."""
        return self._session.client("cloudfront", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        """Return the client for Lambda functions."""
        return self._session.client("lambda", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """Return the client for secrets."""
        return self._session.client("secretsmanager", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """Return the client for the index table."""
        return self._session.client("dynamodb", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def queues(self) -> SQSClient:
        """Return the client for queues."""
        return self._session.client("sqs", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def events(self) -> EventBridgeClient:
        """Return the client for the event bus."""
        return self._session.client("events", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def http_apis(self) -> ApiGatewayV2Client:
        """Return the client for the upload API."""
        return self._session.client("apigatewayv2", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def accounts(self) -> Any:
        """Return the client for user pools."""
        return self._session.client("cognito-idp", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def metrics(self) -> Any:
        """Return the client for CloudWatch metrics."""
        return self._session.client("cloudwatch", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def logs(self) -> Any:
        """Return the client for CloudWatch Logs."""
        return self._session.client("logs", endpoint_url=self.endpoint_url, config=self._config)
