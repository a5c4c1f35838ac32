"""The settings document of the local stack."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from cli.settings.stacks import Target, build_local_target
from cli.settings.validation import validate
from darkroom.plan.presets import load_default_presets
from darkroom.settings import InvalidSettings, parse_settings
from darkroom_dialects.registry import DIALECTS
from darkroom_pipeline.aws.s3 import S3Bucket

from .aws import Cloud
from .errors import StartError
from .paths import ROOT, STACK

BATCHES_AT_ONCE = 2
"""Concurrent batches of bulk jobs on the local stack, where each worker uses a core."""

DEFAULTS: Mapping[str, Any] = {
    **{dialect.mode_setting: "guarded" for dialect in DIALECTS},
    "library_concurrency": BATCHES_AT_ONCE,
}
"""Settings of a stack without a document: every dialect is served."""


def split(overrides: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Split overrides into template parameters and settings, whose names are in lower case. Raises StartError.

    A setting's value is TOML; text may omit quotes.
    """
    parameters = [pair for pair in overrides if not pair[:1].islower()]
    if unknown := [name for pair in parameters if (name := pair.partition("=")[0]) not in list_parameters()]:
        raise StartError(f"{unknown[0]} is no parameter of template.yaml. Settings are in lower case.")
    settings = dict(_setting(pair) for pair in overrides if pair[:1].islower())
    try:
        validate(settings)
    except InvalidSettings as error:
        raise StartError(str(error)) from error
    return parameters, settings


def list_parameters() -> set[str]:
    """Return the names of the template's parameters. MiniStack ignores others, which CloudFormation refuses."""
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    section = template.partition("\nParameters:\n")[2]
    return set(re.findall(r"^  (\w+):", re.split(r"^\w", section, maxsplit=1, flags=re.MULTILINE)[0], re.MULTILINE))


def ensure(cloud: Cloud, overrides: Mapping[str, Any]) -> None:
    """Write the defaults if there is no document, and apply ``overrides``: those of the stack are published already."""
    load_default_presets.cache_clear()  # presets.toml may have changed since this process read it
    target = _target(cloud)
    current = target.documents.current()
    table = {**(current.table if current.number else DEFAULTS), **overrides}
    if not current.number or table != current.table:
        current = target.documents.write(table, replaces=current, by="local", reason="darkroom up")
        target.publish(parse_settings(current.table))
    elif (settings := parse_settings(table)).private_prefixes:
        target.publish(settings)  # the deployment published its own keys, before those of this machine were stored


def publish(cloud: Cloud) -> int:
    """Publish the edge's entries of the settings document. Return how many differed."""
    target = _target(cloud)
    return target.publish(parse_settings(target.documents.current().table))


def _target(cloud: Cloud) -> Target:
    outputs = cloud.read_outputs(STACK)
    media, edge = S3Bucket(cloud.s3, outputs["MediaBucketName"]), cloud.edge_store(outputs["FindingsStoreArn"])
    return build_local_target(media, edge, cloud.secrets, outputs)


def _setting(pair: str) -> tuple[str, Any]:
    name, _, text = pair.partition("=")
    try:
        return name, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return name, text
