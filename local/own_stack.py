"""Build a stack beside that of ``template.yaml`` and deploy it to MiniStack."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from filelock import AsyncFileLock

from cli.stack_parameters import FirstStack, build_parameters
from extensions import find_template

from .aws import Cloud
from .deploy import run_sam
from .errors import StartError
from .paths import ROOT, STACK, StackPaths, architecture
from .post_deploy import apply_properties
from .progress import Progress


def stack_name(name: str) -> str:
    """Return the name of the stack of the extension with the flag ``name``."""
    return f"{STACK}-{name}"


async def deploy_own_stack(
    paths: StackPaths,
    cloud: Cloud,
    progress: Progress,
    name: str,
    cdn_url: str,
    further: Mapping[str, str],
) -> dict[str, str]:
    """Build and deploy the extension with the flag ``name``, with ``further`` parameters; return its outputs.

    Raises StartError with the last lines of ``sam``.
    """
    outputs = await asyncio.to_thread(cloud.read_outputs, STACK)
    parameters = await asyncio.to_thread(_read_parameters, cloud)
    first = FirstStack(STACK, outputs, parameters, cdn_url)
    given = {**build_parameters(find_template(name), first), "Arch": architecture(), **further}
    async with AsyncFileLock(ROOT / ".aws-sam" / ".lock"):
        with progress.step(f"Deploying {find_template(name).relative_to(ROOT)}"):
            await _build_and_deploy(paths, cloud, name, [f"{one}={value}" for one, value in given.items() if value])
            await asyncio.to_thread(apply_properties, cloud, stack_name(name))
    return await asyncio.to_thread(cloud.read_outputs, stack_name(name))


def _read_parameters(cloud: Cloud) -> dict[str, str]:
    [found] = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}


async def _build_and_deploy(paths: StackPaths, cloud: Cloud, name: str, parameters: list[str]) -> None:
    template, build = str(find_template(name).relative_to(ROOT)), ROOT / ".aws-sam" / name
    built = await run_sam(
        *(paths, cloud, "build", f"{name}-build"),
        *("--template", template, "--build-dir", str(build), "--parameter-overrides", f"Arch={architecture()}"),
    )
    if built.status:
        raise StartError(f"sam build of {template} failed:\n{built.tail(25)}")
    done = await run_sam(
        *(paths, cloud, "deploy", f"{name}-deploy"),
        *("--template", str(build / "template.yaml"), "--stack-name", stack_name(name)),
        *("--parameter-overrides", *parameters),
    )
    if done.status:
        raise StartError(f"sam deploy of {template} failed:\n{done.tail(10)}")
