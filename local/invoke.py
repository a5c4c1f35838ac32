"""Run a function's handler in this process against the running stack, so that a debugger stops at its breakpoints.

The code is that of the checkout, not of the deployed package: the function's folder and Darkroom's layers come first on
``sys.path``. Packages of the other layers come from the virtual environment of this process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from .aws import Cloud, tool_environment
from .endpoint import sdk_variables as endpoint_variables
from .ministack_process import find_layer_packages
from .paths import ROOT, StackPaths
from .sam_invoke_template import BUILT
from .stack_info import read_stack_info

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef as Configuration

type Handler = Callable[[Any, Context], object]

STANDARD_INPUT = "-"
PACKAGES = [str(package.parent) for package in sorted(ROOT.glob("layers/*/darkroom*")) if package.is_dir()]
"""Folders of the layers with Darkroom's own packages."""


class InvokeError(Exception):
    """The handler was not called. The message is one line with the cause and the remedy."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where ``template.yaml`` places the code of a function."""

    logical_id: str
    folder: Path
    handler: str


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's context object. The remaining time stays at the timeout unless there is a deadline.

    ``deadline_s`` is a time of ``time.monotonic``.
    """

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    timeout_s: int
    deadline_s: float | None = None
    function_version: str = "$LATEST"
    log_stream_name: str = "local"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the deadline, at least 0."""
        left_s = self.timeout_s if self.deadline_s is None else self.deadline_s - time.monotonic()
        return max(0, int(left_s * 1000))


def invoke(paths: StackPaths, name: str, event: Any, *, deadline: bool = False) -> str:
    """Call the handler of ``name`` and return its result as JSON. Raises InvokeError, StartError, or the handler's
    exception.

    The environment and ``sys.path`` of this process stay those of the function.
    """
    source, info = find_source(name), read_stack_info(paths)
    configuration = _read_configuration(info, source)
    os.environ.clear()
    os.environ.update(_build_environment(info, configuration))
    sys.path[:0] = [str(source.folder), *PACKAGES]
    context = build_context(configuration, deadline=deadline)
    with _redirect_stdout_to_stderr():
        return json.dumps(_load_handler(source.handler)(event, context), indent=2)


def find_source(name: str, template: Path = ROOT / "template.yaml") -> Source:
    """Find a Lambda function of ``template`` by its logical id or the name of its folder. Raises InvokeError."""
    document = _read_template(template)
    resources, shared = document["Resources"], document.get("Globals", {}).get("Function", {})
    sources = [
        Source(logical_id, template.parent / properties["CodeUri"], properties["Handler"])
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function" and (properties := shared | resource["Properties"])
    ]
    for source in sources:
        if name in (source.logical_id, source.folder.name):
            return source
    names = ", ".join(sorted(source.folder.name for source in sources))
    if name == "edge" or resources.get(name, {}).get("Type") == "AWS::CloudFront::Function":
        raise InvokeError(f"{name} is JavaScript that runs in CloudFront, not in Lambda. Python functions: {names}")
    raise InvokeError(f"There is no function {name}. Functions: {names}")


def read_event(path: str) -> Any:
    """Read the JSON event at ``path``, or on standard input if that is ``-``. Raises InvokeError."""
    shown = "standard input" if path == STANDARD_INPUT else path
    try:
        return json.loads(sys.stdin.read() if path == STANDARD_INPUT else Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvokeError(f"The event {shown} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvokeError(f"The event {shown} is not JSON: {error}") from error


def build_context(configuration: Configuration, *, deadline: bool) -> Context:
    """Build the context of an invocation that starts now. With ``deadline`` its remaining time counts down."""
    timeout_s = configuration["Timeout"]
    return Context(
        function_name=configuration["FunctionName"],
        invoked_function_arn=configuration["FunctionArn"],
        memory_limit_in_mb=str(configuration["MemorySize"]),
        log_group_name=configuration["LoggingConfig"]["LogGroup"],
        timeout_s=timeout_s,
        deadline_s=time.monotonic() + timeout_s if deadline else None,
    )


def _read_template(template: Path) -> dict[str, Any]:
    """Read ``template``, whose intrinsic functions are read as None.

    The loader in C takes a tenth of the time, and pdb does not slow it down.
    """
    import yaml

    class Loader(yaml.CSafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda _loader, _tag, _node: None)
    document: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader)  # a SafeLoader
    return document


def _read_configuration(info: Mapping[str, Any], source: Source) -> Configuration:
    """Read the deployed function's configuration from MiniStack. Raises InvokeError."""
    if source.logical_id not in info["functions"]:
        raise InvokeError(f"The running stack has no {source.logical_id}: its condition in template.yaml is not met")
    url, function = info["aws_endpoint_url"], info["functions"][source.logical_id]["name"]
    try:
        return Cloud(url).functions.get_function_configuration(FunctionName=function)
    except (BotoCoreError, ClientError) as error:
        raise InvokeError(f"MiniStack at {url} does not return {function}: {error}") from error


def _build_environment(info: Mapping[str, Any], configuration: Configuration) -> dict[str, str]:
    """Return this process's variables without its AWS settings, and those of the deployed function.

    ``LAMBDA_TASK_ROOT`` is not set: without it Powertools and the X-Ray SDK record no trace.
    """
    environment = tool_environment(info["aws_endpoint_url"])
    if info["sagemaker_url"]:
        environment |= endpoint_variables(info["sagemaker_url"])
    environment |= find_layer_packages(configuration["Environment"]["Variables"], sorted(BUILT.glob("*Layer")))
    return environment | {
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": configuration["Version"],
    }


def _load_handler(name: str) -> Handler:
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


@contextmanager
def _redirect_stdout_to_stderr() -> Iterator[None]:
    """Keep logs and metrics out of the result. The file descriptor is redirected: a debugger keeps line editing."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
