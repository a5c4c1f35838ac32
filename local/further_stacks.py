"""The stacks beside the first one that ``./darkroom up`` deploys to MiniStack, each by a flag."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from tools.stack_parameters import (
    BuildParameters,
    build_common_parameters,
    build_documents_parameters,
    build_evidence_parameters,
    build_medical_parameters,
)

from . import map_tiles_stack, review_stack
from .aws import Cloud
from .own_stack import deploy_own_stack
from .paths import Ports, StackPaths
from .progress import Progress

type Deploy = Callable[[StackPaths, Cloud, Ports, Progress], Awaitable[Sequence[str]]]
"""Deploys a stack; returns what to print about it. Raises StartError."""

type Describe = Callable[[Mapping[str, str], Ports], Sequence[str]]
"""From the outputs of a deployed stack to what to print about it."""


def _describe_textures(_: Mapping[str, str], ports: Ports) -> Sequence[str]:
    return (f"Textures     {ports.cdn_url}/<key>/_/texture?f=ktx2, signed by `./darkroom textures sign --local`",)


def _describe_medical(outputs: Mapping[str, str], ports: Ports) -> Sequence[str]:
    return (
        f"Medical      {ports.api_url(outputs['DicomWebUrl'])}/dicomweb",
        f"             uploads: s3://{outputs['UploadsBucketName']}/incoming/routine/",
    )


def _describe_evidence(outputs: Mapping[str, str], _: Ports) -> Sequence[str]:
    return (f"Evidence     s3://{outputs['CustodyBucketName']}; pages by `./darkroom evidence token --local <key>`",)


def _describe_documents(outputs: Mapping[str, str], _: Ports) -> Sequence[str]:
    return (f"Documents    s3://{outputs['DocumentsBucketName']}",)


def _deploys(name: str, build: BuildParameters, describe: Describe) -> Deploy:
    async def deploy(paths: StackPaths, cloud: Cloud, ports: Ports, progress: Progress) -> Sequence[str]:
        return describe(await deploy_own_stack(paths, cloud, progress, name, build), ports)

    return deploy


FURTHER: Mapping[str, Deploy] = {
    review_stack.NAME: review_stack.deploy,
    map_tiles_stack.NAME: map_tiles_stack.deploy,
    **{
        name: _deploys(name, build, describe)
        for name, build, describe in (
            ("textures", build_common_parameters, _describe_textures),
            ("medical", build_medical_parameters, _describe_medical),
            ("evidence", build_evidence_parameters, _describe_evidence),
            ("documents", build_documents_parameters, _describe_documents),
        )
    },
}
"""By the names of the templates, which are those of the flags."""
