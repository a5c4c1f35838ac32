"""Deploy ``stacks/map-tiles.yaml`` to MiniStack, and pass requests for tiles on to its function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from filelock import AsyncFileLock

from tools.stack_parameters import build_map_tiles_parameters

from .aws import Cloud
from .deploy import run_sam
from .errors import StartError
from .paths import CONTROL, ROOT, STACK, Ports, StackPaths, architecture
from .progress import Progress

NAME = f"{STACK}-map-tiles"
TEMPLATE = "stacks/map-tiles.yaml"
BUILD = ROOT / ".aws-sam" / "map-tiles"
PAGE = f"{CONTROL}/map"
DESCRIPTORS = "map-tiles/descriptors/"


async def deploy(paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> str:
    """Deploy the stack; return the address of the map. Raises StartError."""
    described = (await asyncio.to_thread(cloud.cloudformation.describe_stacks, StackName=STACK))["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described["Parameters"]}
    page = f"{ports.cdn_url}{PAGE}"
    given = build_map_tiles_parameters(STACK, outputs, parameters) | {"Arch": architecture(), "PublicUrl": page}
    async with AsyncFileLock(ROOT / ".aws-sam" / ".lock"):
        with progress.step("Deploying map tiles, whose layer has GDAL"):
            await build_and_deploy(paths, cloud, given)
    return page


async def build_and_deploy(paths: StackPaths, cloud: Cloud, parameters: Mapping[str, str]) -> None:
    """Build the stack for this machine and deploy it with ``parameters``. Raises StartError."""
    build = await run_sam(
        *(paths, cloud, "build", "map-tiles-build"),
        *("--template", TEMPLATE, "--build-dir", str(BUILD), "--parameter-overrides", f"Arch={architecture()}"),
    )
    if build.status:
        raise StartError(f"sam build of {TEMPLATE} failed:\n{build.tail(25)}")
    done = await run_sam(
        *(paths, cloud, "deploy", "map-tiles-deploy"),
        *("--template", str(BUILD / "template.yaml"), "--stack-name", NAME),
        *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items() if value)),
    )
    if done.status:
        raise StartError(f"sam deploy of {TEMPLATE} failed:\n{done.tail(10)}")


class DeployedTiles:
    """The tiles function of the deployed stack, in place of its CDN."""

    def __init__(self, cloud: Cloud, media_bucket: str) -> None:
        self._cloud, self._media_bucket = cloud, media_bucket

    def list_rasters(self) -> list[str]:
        """Return the keys of registered rasters."""
        found = self._cloud.s3.list_objects_v2(Bucket=self._media_bucket, Prefix=DESCRIPTORS).get("Contents", [])
        return [one["Key"].removeprefix(DESCRIPTORS).removesuffix(".json") for one in found]

    def respond(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Invoke the function with a Function URL event; raises StartError without the stack."""
        try:
            stack = self._cloud.cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]
        except ClientError as error:
            raise StartError("Map tiles are not deployed: start the stack with `./darkroom up --map-tiles`.") from error
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        invoked = self._cloud.functions.invoke(
            FunctionName=outputs["TilesFunctionName"], Payload=json.dumps(event).encode()
        )
        found: dict[str, Any] = json.load(invoked["Payload"])
        return found
