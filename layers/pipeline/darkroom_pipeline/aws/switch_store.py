"""The switches as the monitor and operators write them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from darkroom.aws.switches import Switch, parse_switch, switch_key

from .s3 import S3Bucket


@dataclass(frozen=True)
class SwitchStore:
    """The switches in ``bucket``, the media bucket. Faults are Unavailable."""

    bucket: S3Bucket

    def read(self, name: str) -> Switch:
        """Read the current state of the switch ``name``."""
        return parse_switch(self.bucket.read(switch_key(name)))

    def write(self, name: str, switch: Switch) -> None:
        """Write ``switch`` as ``name``, unconditionally."""
        body = json.dumps(switch.to_document()).encode()
        self.bucket.put(switch_key(name), body, headers={"Content-Type": "application/json"}, metadata={})
