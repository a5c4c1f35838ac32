"""Deploy ``stacks/map-tiles.yaml`` to MiniStack; its distribution has a host of its own on the CDN's port."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from tools.stack_parameters import build_map_tiles_parameters

from .aws import Cloud
from .errors import StartError
from .own_stack import deploy_own_stack, stack_name
from .paths import CONTROL, Ports, StackPaths
from .progress import Progress

NAME = "map-tiles"
HOST = f"{NAME}.localhost"
"""Browsers and curl resolve it to this machine (RFC 6761)."""
PAGE = f"{CONTROL}/map"
DESCRIPTORS = "map-tiles/descriptors/"


async def deploy(paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> Sequence[str]:
    """Deploy the stack, whose layer has GDAL; return what to print about it. Raises StartError."""
    url = build_tiles_url(ports)
    await deploy_own_stack(paths, cloud, progress, NAME, build_map_tiles_parameters, {"PublicUrl": url})
    return (f"Map tiles    {url}/tiles/<key>/tilejson.json", f"             {ports.cdn_url}{PAGE}")


def build_tiles_url(ports: Ports) -> str:
    """Return the address of the tiles, without a slash at the end."""
    return f"http://{HOST}:{ports.cdn}"


def find_distribution(cloud: Cloud) -> str:
    """Return the id of the distribution of a deployed stack, "" without one."""
    try:
        return cloud.read_outputs(stack_name(NAME)).get("DistributionId", "")
    except ClientError:
        return ""


class DeployedTiles:
    """The rasters of the deployed stack, and the address of its CDN."""

    def __init__(self, cloud: Cloud, media_bucket: str, ports: Ports) -> None:
        self._cloud, self._media_bucket, self.url = cloud, media_bucket, build_tiles_url(ports)

    def list_rasters(self) -> list[str]:
        """Return the keys of registered rasters; raises StartError without the stack."""
        if not find_distribution(self._cloud):
            raise StartError("Map tiles are not deployed: start the stack with `./darkroom up --map-tiles`.")
        found = self._cloud.s3.list_objects_v2(Bucket=self._media_bucket, Prefix=DESCRIPTORS).get("Contents", [])
        return [one["Key"].removeprefix(DESCRIPTORS).removesuffix(".json") for one in found]
