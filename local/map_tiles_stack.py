"""Deploy ``stacks/map-tiles.yaml`` to MiniStack, and pass requests for tiles on to its function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tools.stack_parameters import build_map_tiles_parameters

from .aws import Cloud
from .errors import StartError
from .own_stack import deploy_own_stack, stack_name
from .paths import CONTROL, Ports, StackPaths
from .progress import Progress

NAME = "map-tiles"
PAGE = f"{CONTROL}/map"
DESCRIPTORS = "map-tiles/descriptors/"


async def deploy(paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> Sequence[str]:
    """Deploy the stack, whose layer has GDAL; return what to print about the map. Raises StartError."""
    page = f"{ports.cdn_url}{PAGE}"
    await deploy_own_stack(paths, cloud, progress, NAME, build_map_tiles_parameters, {"PublicUrl": page})
    return (f"Map tiles    {page}",)


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
            outputs = self._cloud.read_outputs(stack_name(NAME))
        except ClientError as error:
            raise StartError("Map tiles are not deployed: start the stack with `./darkroom up --map-tiles`.") from error
        invoked = self._cloud.functions.invoke(
            FunctionName=outputs["TilesFunctionName"], Payload=json.dumps(event).encode()
        )
        found: dict[str, Any] = json.load(invoked["Payload"])
        return found
