"""Parameters and settings of the local stack that differ from the defaults of a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cli.settings.store import SettingsStore
from darkroom.settings import DEFAULTS, InvalidSettings
from darkroom_pipeline.aws.s3 import S3Bucket

from .aws import Cloud
from .cfn_resolver import read_template
from .paths import STACK

HIDDEN = "****"
"""What CloudFormation returns for the value of a parameter with ``NoEcho``."""


def list_parameters(cloud: Cloud, name: str = STACK) -> list[str]:
    """Return ``Name=Value`` of the deployed parameters that differ from the template's defaults, in its order."""
    template, resolver = read_template(cloud, {}, name)
    found = []
    for parameter, declared in template.get("Parameters", {}).items():
        value = resolver.given.get(parameter, "")
        if value != HIDDEN and value != str(declared.get("Default", "")):
            found.append(f"{parameter}={value}")
    return found


def list_settings(cloud: Cloud, bucket: str) -> list[str]:
    """Return ``name=value`` of the settings that differ from the defaults; of a table only its name.

    Of an invalid document in ``bucket`` it is the problem.
    """
    try:
        return list(_describe(SettingsStore(S3Bucket(cloud.s3, bucket)).current().table))
    except InvalidSettings as error:
        return [str(error)]


def _describe(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        default = getattr(DEFAULTS, name, None)
        if isinstance(value, Mapping):
            yield name
        elif value != (list(default) if isinstance(default, tuple) else default):
            yield f"{name}={value if isinstance(value, str) else json.dumps(value)}"
