"""The settings document of the stack on this machine."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from darkroom.aws.s3 import S3Bucket
from darkroom.settings import InvalidSettings, parse_settings
from tools.settings.edge import entries_of, publish
from tools.settings.stacks import LocalStore
from tools.settings.store import SettingsStore

from .aws import Cloud
from .errors import StartError
from .paths import STACK

BATCHES_AT_ONCE = 2
"""Concurrent batches of bulk jobs here, where each worker takes a processor core."""

DEFAULTS: Mapping[str, Any] = {
    "imgproxy_access_mode": "guarded",
    "thumbor_access_mode": "guarded",
    "dit_access_mode": "guarded",
    "cloudflare_access_mode": "guarded",
    "iiif_access_mode": "guarded",
    "library_concurrency": BATCHES_AT_ONCE,
}
"""The settings of a stack that has no document yet: every dialect is served."""


def split(overrides: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Parameters of the template, and settings: the names of those are in lower case. Raises CannotStart.

    A setting's value is TOML's; text may do without quotes.
    """
    parameters = [pair for pair in overrides if not pair[:1].islower()]
    settings = dict(_setting(pair) for pair in overrides if pair[:1].islower())
    try:
        parse_settings(settings)
    except InvalidSettings as error:
        raise StartError(str(error)) from error
    return parameters, settings


def ensure(cloud: Cloud, overrides: Mapping[str, Any]) -> None:
    """Write the defaults where there is no document, and ``overrides``; then the edge's entries of all that."""
    listed = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in listed}
    documents = SettingsStore(S3Bucket(cloud.s3, outputs["MediaBucketName"]))
    current = documents.current()
    table = {**(current.table if current.number else DEFAULTS), **overrides}
    if not current.number or table != current.table:
        current = documents.write(table, replaces=current, by="local", reason="darkroom up")
    publish(LocalStore(cloud.endpoint_url, outputs["FindingsStoreArn"]), entries_of(parse_settings(current.table)))


def _setting(pair: str) -> tuple[str, Any]:
    name, _, text = pair.partition("=")
    try:
        return name, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return name, text
