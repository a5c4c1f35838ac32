"""Contents of layers in files instead of in memory and in the saved state.

MiniStack 1.5.33 holds the archive of each layer version in memory, and writes all of them as base64 into its state,
whenever it saves that: 200 MB a minute. Archives of functions it keeps in files already.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

CONTENT, FILE = "_zip_data", "layer_file"
RESOURCE = "AWS::Lambda::LayerVersion"


def keep_layers_in_files(functions: Any, provisioners: Any, objects: Any, folder: Path) -> None:
    """Keep the archives of layers in ``folder``, linked to the objects that they were published from."""
    _LayerVersion.folder = folder
    publish, restore, get_state = functions._publish_layer_version, functions._restore_state, functions.get_state
    handlers = provisioners._RESOURCE_HANDLERS[RESOURCE]
    create = handlers["create"]

    def find(content: dict[str, Any]) -> Path | None:
        bucket, key = content.get("S3Bucket"), content.get("S3Key")
        return Path(objects._object_disk_path(bucket, key)) if bucket and key else None

    def publish_and_move(name: str, data: dict[str, Any]) -> Any:
        answer = publish(name, data)
        _move(functions, find(data.get("Content", {})))
        return answer

    def create_and_move(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        created = create(logical_id, properties, stack)
        _move(functions, find(properties.get("Content", {})))
        return created

    def restore_and_move(data: Any) -> None:
        restore(data)
        _move(functions)

    def get_state_and_prune() -> Any:
        _move(functions)
        state = get_state()
        used = {version.file for version in _list_versions(functions)}
        for file in folder.glob("*.zip"):
            if file.stem not in used:
                file.unlink()
        return state

    handlers["create"] = create_and_move
    functions._publish_layer_version, functions._restore_state = publish_and_move, restore_and_move
    functions.get_state = get_state_and_prune


class _LayerVersion(dict[str, Any]):
    """A version whose content is read from its file. Saved and copied as a dictionary, it has the file's name."""

    folder: Path

    @property
    def file(self) -> str:
        """The name of the file, without its suffix; "" for a version without content."""
        stored = super().get(CONTENT)
        return str(stored[FILE]) if stored else ""

    def get(self, name: str, default: Any = None) -> Any:
        if name == CONTENT and self.file:
            return (self.folder / f"{self.file}.zip").read_bytes()
        return super().get(name, default)


def _list_layers(functions: Any) -> Iterator[dict[str, Any]]:
    yield from list(functions._layers._data.values())


def _list_versions(functions: Any) -> Iterator[Any]:
    for layer in _list_layers(functions):
        yield from layer["versions"]


def _move(functions: Any, source: Path | None = None) -> None:
    """Replace versions that have their content, and those read from a saved state."""
    for layer in _list_layers(functions):
        layer["versions"][:] = [_stored(version, source) for version in layer["versions"]]


def _stored(version: dict[str, Any], source: Path | None) -> _LayerVersion:
    if isinstance(version, _LayerVersion):
        return version
    content = version.get(CONTENT)
    if isinstance(content, bytes):
        content = {FILE: _write(content, source)}
    return _LayerVersion({**version, CONTENT: content})


def _write(content: bytes, source: Path | None) -> str:
    """Write a file with ``content``, or link ``source`` if it has that; return its name."""
    name = hashlib.sha256(content).hexdigest()
    path = _LayerVersion.folder / f"{name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return name
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with suppress(OSError):
        if source and source.read_bytes() == content:
            os.link(source, draft)
    if not draft.exists():
        draft.write_bytes(content)
    draft.replace(path)
    return name
