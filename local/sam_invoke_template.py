"""A template for ``sam local invoke`` against the running stack.

``sam`` passes only those environment variables to a function that its template declares, and ``template.yaml`` must not
contain an address of this machine. The running stack therefore writes its own template, with the resolved settings of
the deployed functions and the absolute paths of the built artefacts.
"""

from __future__ import annotations

import json
import re

from .aws import Cloud
from .endpoint import sdk_variables as endpoint_variables
from .paths import ROOT, STACK
from .stack_info import StackInfo

BUILT = ROOT / ".aws-sam" / "build"
CONTAINER_HOST = "host.docker.internal"
"""This machine's name within a container (Docker on Linux: with ``--add-host host.docker.internal:host-gateway``)."""


def build_template(cloud: Cloud, info: StackInfo) -> str:
    """Build the template as JSON, with every deployed function under its logical id."""
    layer_ids = _layer_ids(cloud)
    resources: dict[str, object] = {}
    for logical_id, function in info.functions.items():
        deployed = cloud.functions.get_function_configuration(FunctionName=function.name)
        layers = [layer_ids[layer["Arn"]] for layer in deployed.get("Layers", [])]
        variables = dict(deployed.get("Environment", {}).get("Variables", {}))
        variables["AWS_ENDPOINT_URL"] = _seen_from_containers(info.aws_endpoint_url)
        if info.sagemaker_url:
            variables |= endpoint_variables(_seen_from_containers(info.sagemaker_url))
        resources[logical_id] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": str(BUILT / logical_id),
                "Handler": deployed["Handler"],
                "Runtime": deployed["Runtime"],
                "Architectures": deployed["Architectures"],
                "MemorySize": deployed["MemorySize"],
                "Timeout": deployed["Timeout"],
                "Layers": [{"Ref": layer} for layer in layers],
                "Environment": {"Variables": variables},
            },
        }
        for layer in layers:
            resources[layer] = {
                "Type": "AWS::Serverless::LayerVersion",
                "Properties": {"ContentUri": str(BUILT / layer), "CompatibleRuntimes": [deployed["Runtime"]]},
            }
    document = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    return json.dumps(document, indent=2) + "\n"


def _seen_from_containers(url: str) -> str:
    return url.replace("127.0.0.1", CONTAINER_HOST)


def _layer_ids(cloud: Cloud) -> dict[str, str]:
    """Map ARNs of layer versions to logical ids of the template. SAM appends ten digits of a hash to a logical id."""
    resources = cloud.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    return {
        resource["PhysicalResourceId"]: re.sub("[0-9a-f]{10}$", "", resource["LogicalResourceId"])
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::LayerVersion"
    }
