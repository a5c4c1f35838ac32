"""Talking to MiniStack with AWS's own tools, and never to a real account."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials

from cloudfront_local.key_values import KeyValues

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
"""Of the account's root user in MiniStack, which may do everything."""


def tool_environment(endpoint_url: str) -> dict[str, str]:
    """Environment variables for the SAM CLI: this endpoint, made-up credentials, and nobody's own configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
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


def connect_key_values(endpoint_url: str) -> KeyValues:
    """Connect to the key-value stores of the MiniStack at ``endpoint_url``."""
    return KeyValues(endpoint_url, CREDENTIALS, REGION)


class Cloud:
    """Clients of the MiniStack at ``endpoint_url``, each made when it is first used."""

    def __init__(self, endpoint_url: str, region: str = REGION) -> None:
        self.endpoint_url = endpoint_url
        self.credentials = CREDENTIALS
        self._session = boto3.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=region
        )
        self._config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, read_timeout=120)

    @cached_property
    def s3(self) -> S3Client:
        """Buckets."""
        return self._session.client("s3", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The deployed stack."""
        return self._session.client("cloudformation", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def cloudfront(self) -> CloudFrontClient:
        """The distribution."""
        return self._session.client("cloudfront", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        """Functions."""
        return self._session.client("lambda", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """Secrets."""
        return self._session.client("secretsmanager", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The index."""
        return self._session.client("dynamodb", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def queues(self) -> SQSClient:
        """Queues."""
        return self._session.client("sqs", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def events(self) -> EventBridgeClient:
        """The event bus."""
        return self._session.client("events", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def http_apis(self) -> ApiGatewayV2Client:
        """The upload API."""
        return self._session.client("apigatewayv2", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def metrics(self) -> Any:
        """Figures."""
        return self._session.client("cloudwatch", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def logs(self) -> Any:
        """What functions print."""
        return self._session.client("logs", endpoint_url=self.endpoint_url, config=self._config)
