"""Several models and images: assignment of images to models, batches and failures."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom.errors import ModelUnavailable
from darkroom.findings import ENDPOINT, FACES, FALLBACK, LIKENESS, MODERATION, SIMILARITY, TAGS, TEXT
from darkroom_analysis.models import catalogue, onnx_model
from darkroom_analysis.models.catalogue import ModelCatalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.onnx_model import Device, OnnxModel, batches
from darkroom_analysis.models.pixels import ModelInput, Pixels
from local.paths import ROOT
from tests.images.detectors import models_folder, pixels, small_models
from tests.images.photographs import photograph

SMALL = catalogue.load_catalogue(catalogue.SMALL_MODELS)


def turned(count: int) -> list[Pixels]:
    """The astronaut, each time another quarter round."""
    return [np.rot90(pixels(photograph()), turns).copy() for turns in range(count)]


@pytest.mark.slow
def test_each_image_gets_the_tasks_that_were_asked() -> None:
    tasks = [[FACES], [], [SIMILARITY, FACES], [MODERATION]]
    found = small_models().detect_batch(turned(4), tasks)
    assert [set(one) for one in found] == [set(asked) for asked in tasks]
    assert {finding.origin for one in found for finding in one.values()} == {ENDPOINT}


@pytest.mark.slow
def test_a_batch_returns_the_findings_of_each_image_alone() -> None:
    batched = {task: replace(model, batch_size=3) for task, model in SMALL.models.items()}
    models = ModelSet(ModelCatalogue(batched), models_folder(), origin=FALLBACK)
    images = [*turned(4), pixels(photograph().resize((400, 300)))]
    together = models.detect_batch(images, [SMALL.tasks] * 5)
    for image, found in zip(images, together, strict=True):
        alone = small_models().detect(image, SMALL.tasks)
        assert found[SIMILARITY].vector == pytest.approx(alone[SIMILARITY].vector, abs=1e-4)
        assert found[MODERATION].labels[0].score == pytest.approx(alone[MODERATION].labels[0].score, abs=1e-4)
        for face, other in zip(found[FACES].faces, alone[FACES].faces, strict=True):
            assert face.region == pytest.approx(other.region, abs=1e-3)
        assert found[FACES].origin == FALLBACK


@pytest.mark.slow
def test_runs_side_by_side_return_the_same() -> None:
    beside = ModelSet(SMALL, models_folder(), device=Device(threads=1, at_once=3))
    images = turned(3)
    tasks = [SMALL.tasks, (MODERATION,), ()]
    expected = small_models().detect_batch(images, tasks)
    for found, alone in zip(beside.detect_batch(images, tasks), expected, strict=True):
        assert found.keys() == alone.keys()
        for task in found.keys() & {FACES, MODERATION}:
            assert [one.score for one in (*found[task].faces, *found[task].labels)] == pytest.approx(
                [one.score for one in (*alone[task].faces, *alone[task].labels)], abs=1e-4
            )


def test_runs_side_by_side_overlap_and_get_one_image_each(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2, timeout=60)
    run = OnnxModel._run

    def met(self: OnnxModel, tensors: np.ndarray[Any, np.dtype[np.generic]]) -> Any:
        together.wait()  # a run alone breaks the barrier
        assert len(tensors) == 1
        return run(self, tensors)

    monkeypatch.setattr(OnnxModel, "_run", met)
    models = ModelSet(SMALL, models_folder(), [MODERATION], device=Device(at_once=2))
    assert all(models.detect_batch(turned(2), [[MODERATION]] * 2))


def test_a_failed_run_beside_others_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ModelUnavailable

    monkeypatch.setattr(OnnxModel, "_run", fail)
    with pytest.raises(ModelUnavailable):
        ModelSet(SMALL, models_folder(), [MODERATION], device=Device(at_once=2)).detect(turned(1)[0], [MODERATION])


@pytest.mark.slow
def test_images_of_one_shape_go_through_together(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    run = OnnxModel._run

    def watched(self: OnnxModel, tensors: np.ndarray[Any, np.dtype[np.generic]]) -> Any:
        seen.append(tensors.shape)
        return run(self, tensors)

    monkeypatch.setattr(OnnxModel, "_run", watched)
    models = ModelSet(ModelCatalogue({SIMILARITY: replace(SMALL.get(SIMILARITY), batch_size=4)}), models_folder())
    models.detect_batch(turned(6), [[SIMILARITY]] * 6)
    assert seen == [(4, 288, 288, 3), (2, 288, 288, 3)]


def test_tasks_of_one_network_are_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    run = OnnxModel._run

    def watched(self: OnnxModel, tensors: np.ndarray[Any, np.dtype[np.generic]]) -> Any:
        runs.append(len(tensors))
        return run(self, tensors)

    monkeypatch.setattr(OnnxModel, "_run", watched)
    models = ModelSet(SMALL, models_folder(), (TAGS, LIKENESS))
    both, tagged, neither = models.detect_batch(turned(3), [[TAGS, LIKENESS], [TAGS], []])
    assert (both.keys(), tagged.keys(), neither) == ({TAGS, LIKENESS}, {TAGS}, {})
    assert (both[TAGS].task, both[LIKENESS].task, len(both[LIKENESS].vector)) == (TAGS, LIKENESS, 1280)
    assert runs == [1, 1]  # an image each, as batches of the function have


def test_an_unknown_output_is_named() -> None:
    model = replace(SMALL.get(TAGS), output="smell")
    with pytest.raises(ValueError, match="efficientnet-lite0: output is one of logits, embedding, not 'smell'"):
        ModelSet(ModelCatalogue({TAGS: model}), models_folder())


@pytest.mark.parametrize(
    ("sides", "most", "expected"),
    [
        ([1, 1, 1], 8, [[0, 1, 2]]),
        ([1, 2, 1, 2, 3], 8, [[0, 2], [1, 3], [4]]),
        ([1, 1, 1, 1, 1], 2, [[0, 1], [2, 3], [4]]),
        ([], 8, []),
    ],
)
def test_batches_hold_images_of_one_shape(sides: Sequence[int], most: int, expected: list[list[int]]) -> None:
    prepared = [ModelInput(np.zeros((side, side)), side, side) for side in sides]
    assert list(batches(prepared, most)) == expected


def test_only_the_named_tasks_are_loaded() -> None:
    models = ModelSet(SMALL, models_folder(), [MODERATION])
    assert models.tasks == (MODERATION,)
    with pytest.raises(ValueError, match="not loaded: faces"):
        models.detect(turned(1)[0], [FACES, MODERATION])


def test_a_task_that_no_model_has() -> None:
    with pytest.raises(ValueError, match="no model for 'text'"):
        ModelSet(SMALL, models_folder(), [TEXT])


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"engine": "abacus"}, "centerface: engine is one of onnxruntime, not 'abacus'"),
        ({"prepare": "circle"}, "centerface: prepare is one of square, planes, not 'circle'"),
        ({"read": "tea-leaves"}, "centerface: read is one of faces"),
    ],
)
def test_unknown_names(wrong: dict[str, str], complaint: str) -> None:
    model = replace(SMALL.get(FACES), **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=complaint):
        ModelSet(ModelCatalogue({FACES: model}), models_folder())


def test_a_missing_file_is_no_secret_for_clients(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        ModelSet(SMALL, tmp_path)
    assert str(tmp_path) in caught.value.detail
    assert str(tmp_path) not in caught.value.message


def test_a_broken_file(tmp_path: Path) -> None:
    unverified = replace(SMALL.get(SIMILARITY), sha256={})
    (tmp_path / unverified.artefact).write_bytes(b"\x08\x07 this is no model")
    with pytest.raises(ModelUnavailable) as caught:
        ModelSet(ModelCatalogue({SIMILARITY: unverified}), tmp_path)
    assert "sscd-disc-mixup: [ONNXRuntimeError]" in caught.value.detail


def test_a_file_with_another_digest_is_not_loaded(tmp_path: Path) -> None:
    """It is a valid model: only the digest differs."""
    model = SMALL.get(SIMILARITY)
    content = (models_folder() / model.artefact).read_bytes()
    (tmp_path / model.artefact).write_bytes(content)
    assert ModelSet(SMALL, tmp_path, [SIMILARITY]).tasks == (SIMILARITY,)
    (tmp_path / model.artefact).write_bytes(content + b"\x0a\x00")  # an empty field more
    with pytest.raises(ModelUnavailable) as caught:
        ModelSet(SMALL, tmp_path, [SIMILARITY])
    assert re.fullmatch(
        rf"sscd-disc-mixup: sscd\.onnx has the SHA-256 [0-9a-f]{{64}}, not {model.sha256[model.artefact]}",
        caught.value.detail,
    )


def test_a_run_that_fails() -> None:
    model = replace(SMALL.get(MODERATION), input=replace(SMALL.get(MODERATION).input, side_px=200))
    models = ModelSet(ModelCatalogue({MODERATION: model}), models_folder())
    with pytest.raises(ModelUnavailable) as caught:
        models.detect(turned(1)[0], [MODERATION])
    assert "open-nsfw" in caught.value.detail


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_gpu_that_cannot_be_used_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime itself would go on on the CPU."""
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnx_model.onnxruntime, "get_available_providers", lambda: both)
    monkeypatch.setattr(onnx_model, "has_gpu", lambda: True)
    with pytest.raises(ModelUnavailable) as caught:
        ModelSet(SMALL, models_folder(), [SIMILARITY])
    assert "sscd-disc-mixup" in caught.value.detail


def test_what_the_machine_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    model = replace(SMALL.get(FACES), providers=("TensorrtExecutionProvider", *catalogue.PROVIDERS))
    assert onnx_model.providers(model) == ["CPUExecutionProvider"]
    monkeypatch.setattr(onnx_model.onnxruntime, "get_available_providers", lambda: list(catalogue.PROVIDERS))
    monkeypatch.setattr(onnx_model, "has_gpu", lambda: True)
    assert onnx_model.providers(model, 3) == [("CUDAExecutionProvider", {"device_id": 3}), "CPUExecutionProvider"]


def test_responses_do_not_name_the_models() -> None:
    """By this variable, which onnxruntime reads once: it has to be there before any room of ours imports it."""
    script = (
        "import os, sys, importlib.abc\n"
        "class Watch(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'onnxruntime': print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "sys.meta_path.insert(0, Watch())\n"
        "import darkroom_analysis.models.model_set\n"
    )
    completed = subprocess.run(
        [sys.executable, "-c", script],
        env={
            "PYTHONPATH": ":".join(str(ROOT / "layers" / name) for name in ("darkroom", "analysis")),
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert completed.stdout.split() == ["1"]
