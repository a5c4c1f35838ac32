"""The container's HTTP contract, with the real server."""

from __future__ import annotations

import base64
import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.processes import list_descendants
from darkroom.findings import CUTOUT, FACES, MODERATION, SIMILARITY, TAGS, TASKS, TEXT, finding_from_document
from tests.documents import accuracy_in_order, page, photographed, words
from tests.images.detectors import overlap
from tests.images.people import FACES as MARKED
from tests.images.photographs import jpeg_photo, photograph
from tests.waiting import HANG_S

from .serving import BATCH_SIZE, Server

WORD_ACCURACY = 0.95
IDLE_S = 2.0


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def flat(colour: str, size: tuple[int, int] = (60, 40)) -> bytes:
    return jpeg(Image.new("RGB", size, colour))


def huge_png() -> bytes:
    """A PNG whose header declares 50,000 × 50,000 px."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IEND\xaeB`\x82"


UNREADABLE = {
    "cut off": jpeg_photo()[:20_000],
    "no image": b"this is no image",
    "nothing": b"",
    "huge": huge_png(),
    "a type that is not sent": b"GIF89a\1\0\1\0\0\0\0;",
}


def test_ping_is_answered_when_the_models_are_loaded(server: Server) -> None:
    assert server.get("/ping").status == 200


def test_one_request_has_several_tasks(server: Server) -> None:
    reply = server.invoke(jpeg(photograph()), "faces,similarity,moderation")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    found = {task: finding_from_document(task, document) for task, document in reply.document["tasks"].items()}
    assert set(found) == {FACES, SIMILARITY, MODERATION}
    [face] = found[FACES].faces
    assert overlap(face.region, MARKED["astronaut"][0]) > 0.5
    assert np.linalg.norm(found[SIMILARITY].vector) == pytest.approx(1, abs=1e-4)
    assert found[MODERATION].labels[0].score < 0.2
    assert {(one.origin, bool(one.version), one.error) for one in found.values()} == {("endpoint", True, "")}


def test_a_request_whose_caller_has_left_is_dropped(server: Server) -> None:
    image = jpeg(photograph())
    gone = server.invoke(image, "faces", inference_id="gone", timeout_ms=0)
    assert (gone.status, gone.headers["content-type"]) == (504, "application/problem+json")
    assert (gone.document["code"], gone.document["status"], gone.batch) == ("expired", 504, 0)
    assert [line["message"] for line in server.logged("gone")] == ["expired"]
    assert server.invoke(image, "faces", timeout_ms=int(HANG_S * 1000)).status == 200


@pytest.mark.parametrize("tasks", [None, "", " "])
def test_without_tasks_it_does_all_that_it_can(server: Server, tasks: str | None) -> None:
    found = server.invoke(flat("white"), tasks).document["tasks"]
    assert set(found) == {*TASKS} - {CUTOUT}, "that of cut-outs is not among the models of the project"
    assert [document["error"] for document in found.values() if "error" in document] == []


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_image_that_cannot_be_read_is_a_finding(server: Server, what: str) -> None:
    reply = server.invoke(UNREADABLE[what], "faces,text")
    assert reply.status == 200
    assert {task: one["error"] for task, one in reply.document["tasks"].items()} == {
        FACES: "unreadable",
        TEXT: "unreadable",
    }
    assert {one["model"] for one in reply.document["tasks"].values()} == {"centerface", "pp-ocr-v6-small"}


def test_an_unknown_task_is_refused(server: Server) -> None:
    reply = server.invoke(flat("white"), "faces,smells")
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.document["code"], reply.document["status"]) == ("unknown-task", 400)
    assert "'smells'" in reply.document["detail"]


def test_a_body_beyond_sagemakers_limit_is_refused(server: Server) -> None:
    assert server.invoke(bytes(26 * 1024 * 1024), "faces").status == 413


def test_other_paths_are_not_found(server: Server) -> None:
    reply = server.get("/models")
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.slow
def test_requests_at_once_are_answered_together(server: Server, batching: Server) -> None:
    before = len(batching.lines())
    images = [jpeg(photograph().rotate(10 * number)) for number in range(BATCH_SIZE)]
    replies = batching.invoke_all([(image, "similarity,moderation") for image in images])
    assert [(reply.status, reply.batch) for reply in replies] == [(200, BATCH_SIZE)] * BATCH_SIZE
    logged = [line["batch"] for line in batching.lines()[before:] if line["message"] == "answered"]
    assert sorted(logged) == sorted(reply.batch for reply in replies)
    for image, reply in list(zip(images, replies, strict=True))[:2]:
        vectors = [_vector(one.document) for one in (reply, server.invoke(image, "similarity"))]
        assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_a_request_is_found_in_the_logs_by_its_id_and_its_trace(server: Server) -> None:
    image = jpeg(photograph())
    reply = server.invoke(image, "faces,moderation", inference_id="0a1b2c", trace="1-5759e988-bd862e3fe1be46a994272793")
    [line] = server.logged("0a1b2c")
    assert line | {"timestamp": ""} == {
        "level": "INFO",
        "message": "answered",
        "timestamp": "",
        "service": "endpoint",
        "inference_id": "0a1b2c",
        "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "status": 200,
        "tasks": ["faces", "moderation"],
        "batch": reply.batch,
        "bytes": len(image),
        "ms": reply.stages_ms,
    }


@pytest.mark.slow
@pytest.mark.parametrize(("tasks", "code", "status"), [("smells", "unknown-task", 400), ("faces", "unreadable", 200)])
def test_what_goes_wrong_is_logged_by_its_code(server: Server, tasks: str, code: str, status: int) -> None:
    server.invoke(b"this is no image", tasks, inference_id=f"wrong-{code}", trace="1-2-3")
    [line] = server.logged(f"wrong-{code}")
    assert (line["code"], line["status"], line["xray_trace_id"]) == (code, status, "1-2-3")


@pytest.mark.slow
def test_the_response_lists_the_times_of_its_stages(server: Server) -> None:
    """Within the time of the call; 12 megapixels take longer to decode than 2,400 px beside them."""
    started_s = time.monotonic()
    stages_ms = server.invoke(jpeg(photograph()), "faces").stages_ms
    took_ms = (time.monotonic() - started_s) * 1000
    assert list(stages_ms) == ["queue", "decode", "infer"]
    assert min(stages_ms.values()) > 0
    assert sum(stages_ms.values()) < took_ms
    asked = [(flat("white", (4000, 3000)), "similarity"), (flat("white"), "similarity")]
    decoded_ms = [[reply.stages_ms["decode"] for reply in server.invoke_all(asked)] for _ in range(5)]
    large, small = (min(times) for times in zip(*decoded_ms, strict=True))
    assert large > small


@pytest.mark.slow
def test_each_of_a_batch_gets_its_own(batching: Server) -> None:
    """Also beside images that cannot be read, of other shapes and with other tasks."""
    asked = [
        (flat("#00ff00"), "tags"),
        (UNREADABLE["cut off"], "tags,faces"),
        (jpeg(photograph()), "faces"),
        (flat("#ff0000", (9, 700)), "tags,moderation"),
        (UNREADABLE["no image"], "moderation"),
        (flat("#0000ff"), "similarity,tags"),
        *[(flat("white"), "tags")] * (BATCH_SIZE - 6),
    ]
    replies = batching.invoke_all(asked)
    assert {reply.batch for reply in replies} == {BATCH_SIZE}
    found = [reply.document["tasks"] for reply in replies]
    assert [set(one) for one in found] == [set(tasks.split(",")) for _, tasks in asked]
    assert [found[place][TAGS]["labels"][0]["name"] for place in (0, 3, 5)] == ["green", "red", "blue"]
    assert found[1][TAGS]["error"] == found[1][FACES]["error"] == found[4][MODERATION]["error"] == "unreadable"
    assert len(found[2][FACES]["faces"]) == 1


@pytest.mark.slow
def test_a_model_of_ones_own_gives_tags(server: Server) -> None:
    document = server.invoke(flat("#00ff00"), "tags").document["tasks"][TAGS]
    assert (document["model"], document["version"]) == ("colours", "1")
    assert [(label["name"], label["score"] > 0.9) for label in document["labels"]] == [("green", True)]


@pytest.mark.slow
def test_a_detector_of_ones_own_finds_objects(server: Server) -> None:
    image = Image.new("RGB", (640, 320), "#808080")
    image.paste("#ff0000", (64, 64, 256, 160))
    document = server.invoke(jpeg(image), "objects").document["tasks"]["objects"]
    assert (document["model"], document["version"]) == ("squares", "2")
    assert document["classes"] == ["red", "green", "trafficblue"]
    [found] = document["objects"]
    assert (found["class"], found["score"]) == ("red", 0.9)
    assert found["box"] == pytest.approx([0.1, 0.2, 0.3, 0.3], abs=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [4, -11, 90, 180])
def test_a_photographed_document_is_read(server: Server, degrees: int) -> None:
    expected = words(240)
    document = server.invoke(photographed(page(expected), degrees), TEXT).document["tasks"][TEXT]
    lines = finding_from_document(TEXT, document).lines
    assert accuracy_in_order(expected, [line.text for line in lines]) >= WORD_ACCURACY


@pytest.mark.slow
@pytest.mark.parametrize(("degrees", "along"), [(0, (1, 0)), (90, (0, -1)), (180, (-1, 0)), (270, (0, 1))])
def test_corners_go_round_a_line_from_where_it_begins(server: Server, degrees: int, along: tuple[int, int]) -> None:
    strip = page(["First", "and", "only", "line"]).crop((0, 60, 700, 220))
    document = server.invoke(photographed(strip, degrees), TEXT).document["tasks"][TEXT]
    [line] = finding_from_document(TEXT, document).lines
    assert line.text == "First and only line"
    size = (160, 700) if degrees in (90, 270) else (700, 160)
    first, second, _, last = np.array(line.corners) * size
    forward, down = (side / np.linalg.norm(side) for side in (second - first, last - first))
    assert forward == pytest.approx(along, abs=0.05)
    assert down == pytest.approx((-along[1], along[0]), abs=0.2)


def _vector(document: dict[str, dict[str, dict[str, str]]]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.frombuffer(base64.b64decode(document["tasks"][SIMILARITY]["vector"]), "<f4")


def count_wakeups(process_id: int) -> int:
    """How often the threads of a process and its descendants have waited."""
    waits = 0
    for one in (process_id, *list_descendants(process_id)):
        for status in Path(f"/proc/{one}/task").glob("*/status"):
            lines = status.read_text(encoding="ascii").splitlines()
            waits += next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return waits


def test_without_requests_it_waits(server: Server) -> None:
    """Polling as LitServe does, a thousand times a second, its processes would wait thousands of times."""
    before = count_wakeups(server.process.pid)
    time.sleep(IDLE_S)
    assert count_wakeups(server.process.pid) - before < 150 * IDLE_S
