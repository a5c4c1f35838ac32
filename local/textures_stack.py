"""Deploy ``stacks/textures.yaml`` to MiniStack, whose HTTP API leads to its function."""

from __future__ import annotations

from collections.abc import Sequence

from tools.stack_parameters import build_common_parameters

from .aws import Cloud
from .own_stack import deploy_own_stack
from .paths import Ports, StackPaths
from .progress import Progress


async def deploy(paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> Sequence[str]:
    """Deploy the stack; return what to print about it. Raises StartError."""
    await deploy_own_stack(paths, cloud, progress, "textures", build_common_parameters)
    return (f"Textures     {ports.cdn_url}/<key>/_/texture?f=ktx2, signed by `./darkroom textures sign`",)
