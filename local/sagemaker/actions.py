"""SageMaker's control API, limited to the actions that release models: ``POST /`` in the protocol AWS JSON 1.1."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from .endpoint_description import EndpointDescription
from .packages import Packages
from .service_errors import RequestError, ServiceError, invalid

TARGET = "X-Amz-Target"
PREFIX = "SageMaker."
MEDIA_TYPE = "application/x-amz-json-1.1"

type Action = Callable[[Mapping[str, Any]], dict[str, Any]]


class Actions:
    """The API over its two stores. An action handles small files synchronously within the event loop."""

    def __init__(self, packages: Packages, capacities: EndpointDescription) -> None:
        self._actions: dict[str, Action] = {
            "CreateModelPackageGroup": packages.create_group,
            "DescribeModelPackageGroup": packages.describe_group,
            "CreateModelPackage": packages.create,
            "DescribeModelPackage": packages.describe,
            "ListModelPackages": packages.list_all,
            "UpdateModelPackage": packages.update,
            "DescribeEndpoint": capacities.describe,
            "UpdateEndpointWeightsAndCapacities": capacities.update,
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Handle one call."""
        name = request.headers.get(TARGET, "").removeprefix(PREFIX)
        body = await request.read()
        try:
            return _answer(self._run(name, body), 200)
        except RequestError as error:
            return _error_response(error.fault)

    def _run(self, name: str, body: bytes) -> dict[str, Any]:
        if name not in self._actions:
            raise RequestError(ServiceError("UnknownOperationException", 400, f"{name!r} is not implemented locally."))
        try:
            return self._actions[name](json.loads(body or b"{}"))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RequestError(invalid(f"The request cannot be read: {error!r}")) from error


def _error_response(fault: ServiceError) -> web.Response:
    return _answer({"__type": fault.code, "message": fault.message}, fault.status)


def _answer(document: dict[str, Any], status: int) -> web.Response:
    headers = {"Content-Type": MEDIA_TYPE, "x-amzn-RequestId": str(uuid4())}
    return web.Response(body=json.dumps(document).encode(), status=status, headers=headers)
