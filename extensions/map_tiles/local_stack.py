"""Map tiles on the local stack: their distribution has a host of its own on the CDN's port, and there is a map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiohttp import web
from botocore.exceptions import ClientError

from local.aws import Cloud
from local.errors import StartError
from local.extension_stacks import LocalParts
from local.own_stack import stack_name
from local.paths import Ports
from local.stack_info import StackInfo

from .map_pages import PAGE, MapPages

NAME = "map-tiles"
HOST = f"{NAME}.localhost"
"""Browsers and curl resolve it to this machine (RFC 6761)."""
DESCRIPTORS = "map-tiles/descriptors/"


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


async def _describe(_: Cloud, __: Mapping[str, str], ports: Ports) -> Sequence[str]:
    return (f"Map tiles    {build_tiles_url(ports)}/tiles/<key>/tilejson.json", f"             {ports.cdn_url}{PAGE}")


def _find_hosts(cloud: Cloud) -> Mapping[str, str]:
    found = find_distribution(cloud)
    return {HOST: found} if found else {}


def _list_routes(cloud: Cloud, info: StackInfo, ports: Ports) -> Iterable[web.RouteDef]:
    return MapPages(DeployedTiles(cloud, info.media_bucket, ports)).routes()


PARTS = LocalParts(
    build_parameters=lambda ports: {"PublicUrl": build_tiles_url(ports)},
    finish=_describe,
    find_hosts=_find_hosts,
    list_routes=_list_routes,
)
