"""Description of the running stack, read from the deployment and written to ``stack.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cli.deployment import QUEUES

from .aws import Cloud
from .cfn_resolver import describe_resources
from .errors import StartError
from .paths import CONTROL, REGION, STACK, Ports, StackPaths


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A deployed function. ``url`` is its Function URL through MiniStack, empty if it has none."""

    name: str
    arn: str
    url: str = ""
    log_group: str = ""


@dataclass(frozen=True, slots=True)
class StackInfo:
    """The content of ``stack.json``. ``functions`` are by logical id; ``outputs`` are the stack's.

    ``upload_url`` is the upload API through MiniStack, without ``/uploads``. ``queues`` are URLs by the names in
    ``QUEUES``. ``sagemaker_url`` is the runtime API, empty in a stack without inference.
    """

    cdn_url: str
    control_url: str
    upload_url: str
    aws_endpoint_url: str
    sagemaker_url: str
    region: str
    stack_name: str
    distribution_id: str
    media_bucket: str
    uploads_bucket: str
    quarantine_bucket: str
    index_table: str
    queues: dict[str, str]
    signing_key: str
    functions: dict[str, FunctionInfo]
    outputs: dict[str, str]
    pids: dict[str, int]

    def write(self, path: Path) -> None:
        """Write the file atomically and readable for this user only: it contains the signing key."""
        write_atomically(path, json.dumps(asdict(self), indent=2) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write ``path`` so that no reader sees a partial file."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def read_stack_info(paths: StackPaths) -> dict[str, Any]:
    """Read the description of the running stack. Raises StartError if none runs."""
    try:
        found: dict[str, Any] = json.loads(paths.stack_info.read_text())
    except FileNotFoundError:
        raise StartError(
            f"No stack runs on this machine ({paths.stack_info} is missing). Start one with `make run`."
        ) from None
    return found


def gather(cloud: Cloud, ports: Ports, sagemaker_url: str, pids: dict[str, int]) -> StackInfo:
    """Read the description from the deployment in MiniStack."""
    outputs = cloud.read_outputs(STACK)
    names = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in describe_resources(cloud)
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
    secret = cloud.secrets.get_secret_value(SecretId=outputs["SigningKeysArn"])["SecretString"]
    return StackInfo(
        cdn_url=ports.cdn_url,
        control_url=ports.cdn_url + CONTROL,
        upload_url=ports.api_url(outputs["UploadApiUrl"]),
        aws_endpoint_url=ports.aws_url,
        sagemaker_url=sagemaker_url,
        region=REGION,
        stack_name=STACK,
        distribution_id=outputs["DistributionId"],
        media_bucket=outputs["MediaBucketName"],
        uploads_bucket=outputs["UploadsBucketName"],
        quarantine_bucket=outputs["QuarantineBucketName"],
        index_table=outputs["IndexTableName"],
        queues={name: outputs[output] for name, output in QUEUES.items() if output in outputs},
        signing_key=json.loads(secret)["current"],
        functions={logical_id: _function(cloud, ports, name) for logical_id, name in names.items()},
        outputs=outputs,
        pids=pids,
    )


def _function(cloud: Cloud, ports: Ports, name: str) -> FunctionInfo:
    configuration = cloud.functions.get_function_configuration(FunctionName=name)
    arn, log_group = configuration["FunctionArn"], configuration.get("LoggingConfig", {}).get("LogGroup", "")
    urls = cloud.functions.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    if not urls:
        return FunctionInfo(name, arn, log_group=log_group)
    return FunctionInfo(name, arn, ports.function_url(urls[0]["FunctionUrl"]), log_group)
