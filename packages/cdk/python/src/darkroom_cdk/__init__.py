"""Construct of the AWS CDK that creates the stack of a release as a nested stack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Unpack

from aws_cdk import AssetStaging, CfnStack, FileAssetLocation, FileAssetPackaging, Fn, Stack
from constructs import Construct

from .parameters import Output, Parameters

__all__ = ["Darkroom", "Output", "Parameters"]


class Darkroom(Construct):
    """The stack of the release in the folder ``release``, whose files become assets of the app.

    ``parameters`` are those of the template, in snake case.
    """

    def __init__(self, scope: Construct, id: str, *, release: str, **parameters: Unpack[Parameters]) -> None:  # noqa: A002
        super().__init__(scope, id)
        folder = Path(release).resolve()
        manifest = _read(folder, "release.json")
        path = manifest["templates"][parameters.get("arch", "arm64")][""]
        declared = _read(folder, path)["Parameters"]
        given = {_to_pascal_case(name): _to_text(value) for name, value in parameters.items()}
        values = {name: str(one.get("Default", "")) for name, one in declared.items()} | given
        stored = {
            file: self._store(folder, file, f"darkroom/{manifest['version']}/{file}")
            for file, uses in _read(folder, "files.json").items()
            if all(values[name] in accepted for name, accepted in uses.items())
        }
        template = stored[path]
        places = {"ReleaseBucket": template.bucket_name, "ReleasePrefix": template.object_key[: -len(path)]}
        self.stack = CfnStack(self, "Stack", template_url=template.http_url, parameters={**given, **places})

    def output(self, name: Output) -> str:
        """Return an output of the stack."""
        return self.stack.get_att(f"Outputs.{name}").to_string()

    def _store(self, folder: Path, file: str, key: str) -> FileAssetLocation:
        """Make a file an asset with the key that the template expects, below the prefix of the synthesizer."""
        staged = AssetStaging(self, file, source_path=str(folder / file)).relative_staged_path(Stack.of(self))
        return Stack.of(self).synthesizer.add_file_asset(
            file_name=staged, packaging=FileAssetPackaging.FILE, source_hash=key[: -len(Path(file).suffix)]
        )


def _read(folder: Path, file: str) -> Any:
    return json.loads((folder / file).read_text(encoding="utf-8"))


def _to_pascal_case(name: str) -> str:
    return re.sub(r"(?:^|_)(.)", lambda found: found[1].upper(), name)


def _to_text(value: Any) -> str:
    return Fn.join(",", value) if isinstance(value, list) else str(value)
