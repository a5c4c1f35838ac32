"""What the template asks for and MiniStack leaves out, and the signing key that the events are signed with."""

from __future__ import annotations

import json

from tools.events import LOCAL_KEY

from .aws import Cloud
from .place import STACK


def complete(cloud: Cloud) -> None:
    """Finish a deployment: reserved concurrency, and a signing key known to ``events/``."""
    stack = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    parameters = {given["ParameterKey"]: given["ParameterValue"] for given in stack["Parameters"]}
    outputs = {given["OutputKey"]: given["OutputValue"] for given in stack["Outputs"]}
    cloud.functions.put_function_concurrency(
        FunctionName=outputs["TransformFunctionName"],
        ReservedConcurrentExecutions=int(parameters["ReservedConcurrency"]),
    )
    cloud.secrets.put_secret_value(
        SecretId=outputs["SigningKeysArn"], SecretString=json.dumps({"current": LOCAL_KEY, "previous": ""})
    )
