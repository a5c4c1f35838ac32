"""Convert a PyTorch checkpoint without PyTorch: nothing but tensors is read, and tags belong to their classes."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from cli.models import efficientnet_lite
from cli.models.efficientnet_lite import CLASSES, MAGIC, VERSION, build_labels, read_checkpoint, read_tags

ROOT = Path(efficientnet_lite.__file__).parents[2]
TAGS = read_tags(ROOT / "cli" / "models" / "imagenet_tags.toml")


class Storage:
    """What a checkpoint stores as a persistent id."""

    def __init__(self, kind: Any, key: str, values: np.ndarray[Any, Any]) -> None:
        self.kind, self.key, self.values = kind, key, values


class Rebuilt:
    """What is pickled as a call of PyTorch's function."""

    def __init__(self, function: Any, *parts: Any) -> None:
        self.function, self.parts = function, parts

    def __reduce__(self) -> Any:
        return self.function, self.parts


class Writer(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return ("storage", obj.kind, obj.key, "cpu", len(obj.values), None) if isinstance(obj, Storage) else None


def checkpoint(tensors: Any, storages: list[Storage], magic: int = MAGIC) -> bytes:
    file = io.BytesIO()
    for part in (magic, VERSION, {"little_endian": True}, tensors, [storage.key for storage in storages]):
        Writer(file, 2).dump(part)
    for storage in storages:
        file.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
    return file.getvalue()


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Names that a pickle refers to: PyTorch is not installed."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_: Any) -> None:
        """Stand for PyTorch's function."""

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def test_tensors_are_read_from_their_storages(torch: Any) -> None:
    shared = Storage(torch.FloatStorage, "b", np.arange(12, dtype="<f4"))
    other = Storage(torch.FloatStorage, "a", np.array([7], "<f4"))
    rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
    tensors = OrderedDict(
        whole=Rebuilt(rebuild, shared, 0, (3, 4), (4, 1), False, OrderedDict()),
        turned=Rebuilt(rebuild, shared, 2, (4, 2), (1, 4), False, OrderedDict()),
        number=Rebuilt(rebuild, other, 0, (), (), False, OrderedDict()),
    )
    found = read_checkpoint(checkpoint(tensors, [other, shared]))
    assert found["whole"].tolist() == np.arange(12).reshape(3, 4).tolist()
    assert found["turned"].tolist() == [[2, 6], [3, 7], [4, 8], [5, 9]]
    assert found["number"] == 7


@pytest.mark.parametrize("function", [os.system, eval, getattr, subprocess.Popen])
def test_nothing_else_is_called(function: Any) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is not part of a tensor"):
        read_checkpoint(checkpoint(OrderedDict(weight=Rebuilt(function, "touch /tmp/harmed")), []))


def test_another_file_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="no checkpoint"):
        read_checkpoint(checkpoint(OrderedDict(), [], magic=1))


def test_a_class_has_the_tags_of_its_ranges() -> None:
    lines = build_labels({"animals": {"dog": "1-2", "animal": "0-3 998"}, "things": {"car": "999"}}).splitlines()
    assert len(lines) == CLASSES
    assert (lines[0], lines[1], lines[2], lines[4], lines[998], lines[999]) == (
        *("animal", "dog\tanimal", "dog\tanimal", "", "animal", "car"),
    )


@pytest.mark.parametrize("ranges", ["1000", "998-1001"])
def test_a_class_that_does_not_exist_is_named(ranges: str) -> None:
    with pytest.raises(ValueError, match="car: there is no class 100"):
        build_labels({"things": {"car": ranges}})


def test_every_tag_is_once_in_the_table_and_has_classes() -> None:
    names = [name for group in TAGS.values() for name in group]
    assert len(names) == len(set(names)) >= 200
    assert {name for line in build_labels(TAGS).splitlines() for name in line.split("\t")} - {""} == set(names)


@pytest.mark.parametrize(
    ("number", "tags"),
    [
        (0, {"fish", "animal"}),  # tench
        (207, {"dog", "animal"}),  # golden retriever
        (281, {"cat", "animal"}),  # tabby
        (817, {"sports car", "car", "vehicle"}),
        (949, {"strawberry", "fruit", "food"}),
        (968, {"cup"}),
        (999, set()),  # toilet tissue
    ],
)
def test_tags_of_known_classes(number: int, tags: set[str]) -> None:
    assert set(filter(None, build_labels(TAGS).splitlines()[number].split("\t"))) == tags


def test_the_build_of_the_layer_links_to_the_converter_and_its_table() -> None:
    for name in ("efficientnet_lite.py", "imagenet_tags.toml"):
        assert (ROOT / "layers" / "inference" / name).resolve() == ROOT / "cli" / "models" / name
