"""The first page of PDF documents: rendering by PDFium, limits, and the function's service on MiniStack."""

from __future__ import annotations

import asyncio
import io
import itertools
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from darkroom.errors import DamagedSource, DarkroomError, Unavailable
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.conversion import sandbox
from darkroom_pipeline.conversion.sandbox import ProcessLimits
from document_pages.renderer import _LIMITS, DocumentRenderer, Outcome
from extensions import find_extension
from extensions.document_pages.smoke import pdf
from local.events import read_events
from local.progress import Progress
from local.tool_venvs import ensure_one, site_packages
from tests.component.conversion.files import photograph, save
from tests.component.conversion.test_damage import mutate
from tests.component.services.functions import load
from tests.confined_probe import check_confined, supports_probe, take_over
from tests.waiting import HANG_S

from .files import RED_HALF, document

WORKER = "document_pages.pdf_worker"
FOLDER = find_extension("document_pages").folder
PATIENT = replace(_LIMITS, wall_s=HANG_S)
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package with PDFium, behind all others."""
    asyncio.run(ensure_one("document-pages", Progress()))
    folder = site_packages("document-pages")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


FONT = "/Font <</F <</Type /Font /Subtype /Type1 /BaseFont /Times-Roman>>>>"
BOMB = document(
    "/A Do",
    resources="/XObject <</A 5 0 R>>",
    further="\n".join(
        f"{at} 0 obj <</Type /XObject /Subtype /Form /BBox [0 0 200 100] /Length 139 /Resources <</XObject <</A "
        f"{at + 1} 0 R>>>>>> stream\n{'/A Do ' * 20}0 0 200 100 re f\nendstream endobj"
        for at in range(5, 15)
    ),
)
"""Forms that draw the next one twenty times each: 20 to the 10th rectangles."""


def render(data: bytes, side_px: int = 400, limits: sandbox.ProcessLimits = PATIENT) -> Image.Image:
    image = Image.open(io.BytesIO(sandbox.run(WORKER, [side_px], data, limits)))
    image.load()
    return image


def test_the_first_page_is_rendered_on_white() -> None:
    image = render(RED_HALF)
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (400, 200))
    assert (image.getpixel((50, 100)), image.getpixel((350, 100))) == ((255, 0, 0), (255, 255, 255))


def test_documents_in_this_process(packages: Path) -> None:
    """Pages of Pillow's writer, text in a font that is not embedded, and 40 mutated documents."""
    del packages
    from document_pages import pdf_worker

    photo = save(photograph(), "PDF")
    found = Image.open(io.BytesIO(pdf_worker.render(photo, 96)))
    assert found.size == (96, 64)
    several = io.BytesIO()
    photograph().save(several, "PDF", save_all=True, append_images=[photograph("L")])
    assert Image.open(io.BytesIO(pdf_worker.render(several.getvalue(), 96))).tobytes() == found.tobytes()
    text = Image.open(io.BytesIO(pdf_worker.render(document("BT /F 40 Tf 9 40 Td (Word) Tj ET", resources=FONT), 200)))
    assert 0.01 < sum(text.convert("L").point(lambda level: level < 128).tobytes()) / 20_000 < 0.3
    for data, dice in ((RED_HALF, random.Random(1)), (photo, random.Random(2))):
        for _ in range(20):
            try:
                assert max(Image.open(io.BytesIO(pdf_worker.render(mutate(data, dice), 50))).size) <= 51
            except (ValueError, RuntimeError, OSError):
                continue


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 and nothing else",
        document("", box="0 0 90000 10"),
        RED_HALF.replace(b"/Kids [3 0 R]", b"/Kids []     "),
    ],
    ids=["nothing", "a page of 90,000 points", "no page"],
)
def test_damaged_documents(data: bytes) -> None:
    with pytest.raises(DamagedSource):
        render(data)


@pytest.mark.slow
def test_a_document_that_never_ends() -> None:
    """Nested forms end at the limit of CPU time, or where PDFium stops."""
    try:
        assert render(BOMB, limits=replace(PATIENT, cpu_s=2)).size == (400, 200)
    except DarkroomError as error:
        assert error.code in ("too-slow", "damaged", "over-limits")


@pytest.fixture
def renderer(aws: Callable[[str], Any]) -> DocumentRenderer:
    s3, number = aws("s3"), next(_numbers)
    names = f"documents-{number}", f"document-uploads-{number}"
    for name in names:
        s3.create_bucket(Bucket=name)

    def tag(key: str, tags: dict[str, str]) -> None:
        listed = [{"Key": name, "Value": value} for name, value in tags.items()]
        s3.put_object_tagging(Bucket=names[0], Key=key, Tagging={"TagSet": listed})

    documents, uploads = (S3Bucket(s3, name) for name in names)
    return DocumentRenderer(documents, uploads, "documents/", 300, tag, PowertoolsObserver("documents"), PATIENT)


def put(renderer: DocumentRenderer, key: str, data: bytes) -> None:
    renderer.documents.put(key, data, headers={}, metadata={})


def tags(aws: Callable[[str], Any], renderer: DocumentRenderer, key: str) -> dict[str, str]:
    found = aws("s3").get_object_tagging(Bucket=renderer.documents.bucket, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_a_document_becomes_an_upload_until_it_is_deleted(
    renderer: DocumentRenderer, aws: Callable[[str], Any]
) -> None:
    put(renderer, "reports/a.pdf", RED_HALF)
    assert renderer.follow("reports/a.pdf") is Outcome.RENDERED
    uploaded = renderer.uploads.read("documents/reports/a.pdf")
    assert uploaded is not None
    assert Image.open(io.BytesIO(uploaded)).size == (300, 150)
    assert tags(aws, renderer, "reports/a.pdf") == {"darkroom": "rendered"}
    renderer.documents.delete("reports/a.pdf")
    assert renderer.follow("reports/a.pdf") is Outcome.DELETED
    assert renderer.uploads.head("documents/reports/a.pdf") is None
    assert renderer.follow("reports/a.pdf") is Outcome.UNCHANGED


@pytest.mark.parametrize("is_deleted", [pytest.param(False, marks=pytest.mark.slow), True])
def test_what_changes_during_a_render_is_followed(renderer: DocumentRenderer, is_deleted: bool) -> None:
    """The event of the change can have been followed earlier, by another process."""
    put(renderer, "a.pdf", RED_HALF)
    square = document("", box="0 0 100 100")

    def change(key: str, tags: dict[str, str]) -> None:
        if is_deleted:
            renderer.documents.delete("a.pdf")
        else:
            put(renderer, "a.pdf", square)  # the second time, too, which changes nothing

    outcome = replace(renderer, tag=change).follow("a.pdf")
    uploaded = renderer.uploads.read("documents/a.pdf")
    if is_deleted:
        assert (outcome, uploaded) == (Outcome.DELETED, None)
    else:
        assert uploaded is not None
        assert Image.open(io.BytesIO(uploaded)).size == (300, 300)


@pytest.mark.slow
def test_a_document_that_changes_each_time_is_left_to_a_later_event(renderer: DocumentRenderer) -> None:
    put(renderer, "a.pdf", b"GIF89a")
    numbers = itertools.count(1)

    def change(key: str, tags: dict[str, str]) -> None:
        put(renderer, "a.pdf", b"GIF89a" + bytes(next(numbers)))

    with pytest.raises(Unavailable):
        replace(renderer, tag=change).follow("a.pdf")


def test_the_function_follows_its_events(
    renderer: DocumentRenderer, aws_environment: dict[str, str], packages: Path
) -> None:
    del packages
    environment = {"DOCUMENTS_BUCKET": renderer.documents.bucket, "UPLOADS_BUCKET": renderer.uploads.bucket}
    environment |= {"UPLOAD_PREFIX": "documents/", "MAX_SIDE_PX": "300", "POWERTOOLS_SERVICE_NAME": "documents"}
    environment |= {"POWERTOOLS_METRICS_NAMESPACE": "Darkroom/test"}
    function = load("documents", environment | aws_environment, within=FOLDER)
    sample = read_events("documents", FOLDER / "events")["created.json"]
    assert function.invoke(sample) == "unchanged"
    put(renderer, "reports/annual.pdf", b"GIF89a")
    assert function.invoke(sample) == "refused"


def test_uploads_that_are_not_of_a_document_stay(renderer: DocumentRenderer) -> None:
    renderer.uploads.put("documents/a.jpg", b"a photograph", headers={}, metadata={})
    assert renderer.follow("a.jpg") is Outcome.UNCHANGED
    assert renderer.uploads.read("documents/a.jpg") == b"a photograph"


@pytest.mark.parametrize(
    ("data", "code"), [(b"GIF89a", "type-not-allowed"), (b"%PDF-1.4 only", "damaged")], ids=["a GIF", "damage"]
)
def test_refused_documents_are_tagged(
    renderer: DocumentRenderer, aws: Callable[[str], Any], data: bytes, code: str
) -> None:
    put(renderer, "a.pdf", data)
    assert renderer.follow("a.pdf") is Outcome.REFUSED
    assert tags(aws, renderer, "a.pdf") == {"darkroom": "refused", "code": code}
    assert renderer.uploads.head("documents/a.pdf") is None


@pytest.mark.skipif(not supports_probe(), reason="numbers of system calls")
def test_a_decoder_that_is_taken_over_reaches_nothing(tmp_path: Path) -> None:
    limits = ProcessLimits(1_200_000_000, 1_000_000, wall_s=HANG_S)
    check_confined(take_over("document_pages.pdf_worker", [64], limits, tmp_path))


def test_the_document_of_darkroom_smoke_is_rendered(renderer: DocumentRenderer) -> None:
    put(renderer, "smoke.pdf", pdf(200, 100, 7))
    assert renderer.follow("smoke.pdf") is Outcome.RENDERED
    uploaded = renderer.uploads.read("documents/smoke.pdf")
    assert uploaded is not None
    image = Image.open(io.BytesIO(uploaded)).convert("RGB")
    assert image.size == (300, 150)
    assert (image.getpixel((50, 75)), image.getpixel((250, 75))) == ((255, 0, 0), (255, 255, 255))
