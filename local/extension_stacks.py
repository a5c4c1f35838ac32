"""The stacks of extensions that ``./darkroom up`` deploys to MiniStack beside the first one, each by a flag."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from extensions import Extension, find_extension, list_extensions

from .aws import Cloud
from .own_stack import deploy_own_stack
from .paths import Ports, StackPaths
from .progress import Progress
from .stack_info import StackInfo


async def _prepare_nothing(_: Progress) -> Sequence[Path]:
    return ()


async def _finish_nothing(_cloud: Cloud, _outputs: Mapping[str, str], _ports: Ports) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class LocalParts:
    """What an extension adds to the local stack, as ``PARTS`` of its module ``local_stack``.

    ``prepare`` returns folders of packages that MiniStack needs. ``build_parameters`` returns parameters beside those
    that describe the first stack. ``finish`` runs after a deployment, with its outputs, and returns lines to print.
    ``find_hosts`` maps names of hosts at the CDN's port to distributions. ``list_routes`` are pages below ``/_local/``.
    """

    prepare: Callable[[Progress], Awaitable[Sequence[Path]]] = _prepare_nothing
    build_parameters: Callable[[Ports], Mapping[str, str]] = lambda _: {}
    finish: Callable[[Cloud, Mapping[str, str], Ports], Awaitable[Sequence[str]]] = _finish_nothing
    find_hosts: Callable[[Cloud], Mapping[str, str]] = lambda _: {}
    list_routes: Callable[[Cloud, StackInfo, Ports], Iterable[web.RouteDef]] = lambda *_: ()


def find_parts(extension: Extension) -> LocalParts:
    """Return what an extension adds to the local stack."""
    module = extension.load("local_stack")
    return LocalParts() if module is None else module.PARTS


def list_overrides(names: Sequence[str]) -> list[str]:
    """Return the parameters of the first stack that the extensions ``names`` need, as ``Name=Value``."""
    needed = (item for name in names for item in find_extension(name).first_stack_parameters.items())
    return [f"{parameter}={value}" for parameter, value in needed]


def list_parts() -> Iterator[LocalParts]:
    """Yield what each extension adds."""
    return map(find_parts, list_extensions())


async def prepare(names: Sequence[str], progress: Progress) -> list[Path]:
    """Return folders of packages that MiniStack needs for the stacks ``names``. Raises StartError."""
    return [path for name in names for path in await find_parts(find_extension(name)).prepare(progress)]


async def deploy(name: str, paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> Sequence[str]:
    """Deploy the stack of an extension, by its flag; return what to print about it. Raises StartError."""
    extension = find_extension(name)
    parts = find_parts(extension)
    outputs = await deploy_own_stack(
        paths, cloud, progress, extension.flag, ports.cdn_url, parts.build_parameters(ports)
    )
    shown = {key: _localise(value, ports) for key, value in outputs.items()} | {"cdn": ports.cdn_url}
    lines = [line.format_map(shown) for line in extension.ready]
    return [*lines, *await parts.finish(cloud, outputs, ports)]


def _localise(value: str, ports: Ports) -> str:
    """Return the address on this machine of an HTTP API on AWS; other values as they are."""
    is_api = (urlsplit(value).hostname or "").split(".")[1:2] == ["execute-api"]
    return ports.api_url(value) if is_api else value


def find_hosts(cloud: Cloud) -> dict[str, str]:
    """Return the distributions of extensions by the names of their hosts."""
    return {host: distribution for parts in list_parts() for host, distribution in parts.find_hosts(cloud).items()}


def list_routes(cloud: Cloud, info: StackInfo, ports: Ports) -> list[web.RouteDef]:
    """Return the pages of extensions."""
    return [route for parts in list_parts() for route in parts.list_routes(cloud, info, ports)]
