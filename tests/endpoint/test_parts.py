"""What the server is made of, without HTTP: reading a request, decoding, and a batch that fails."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import ModelUnavailable, UnknownTask
from darkroom.findings import FACES, MODERATION, SIMILARITY, Finding
from darkroom.models import catalogue
from darkroom.models.pixels import Pixels
from darkroom.models.running import Models
from endpoint import decoding
from endpoint.asking import Asked, wanted
from endpoint.decoding import decoded
from endpoint.finding import Finder

from ..looking import models_folder
from ..pictures import jpeg_photo

KNOWN = ("faces", "text", "moderation")
CATALOGUE = catalogue.load(catalogue.SMALL)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", KNOWN),
        ("tasks=", KNOWN),
        ("trace=1-abc", KNOWN),
        ("tasks=text", ("text",)),
        ("tasks=text,faces", ("text", "faces")),
        (" tasks = text , faces,text,", ("text", "faces")),
        ("trace=1; tasks=moderation", ("moderation",)),
    ],
)
def test_tasks_are_read_from_the_attributes(attributes: str, expected: tuple[str, ...]) -> None:
    assert wanted(attributes, KNOWN) == expected


@pytest.mark.parametrize("attributes", ["tasks=similarity", "tasks=faces,Faces", "tasks=*"])
def test_unknown_tasks_are_refused(attributes: str) -> None:
    with pytest.raises(UnknownTask):
        wanted(attributes, KNOWN)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "L", "P", "RGBA", "LA", "I;16")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_every_kind_of_pixel_becomes_rgb(kind: str, mode: str) -> None:
    """204 is a colour that a palette has, too."""
    out = io.BytesIO()
    picture = Image.new("RGB", (7, 5), (204, 204, 204))
    if mode == "I;16":
        picture = Image.fromarray(np.full((5, 7), 204 * 257, np.uint16))
    (picture if mode == "I;16" else picture.convert(mode)).save(out, kind)
    found = decoded(out.getvalue())
    assert found is not None
    assert (found.shape, found.dtype) == ((5, 7, 3), np.uint8)
    assert abs(found.astype(int) - 204).max() <= 6


def test_what_is_transparent_shows_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (3, 3), (0, 0, 0, 0)).save(out, "PNG")
    picture = decoded(out.getvalue())
    assert picture is not None
    assert (picture == 255).all()


def test_too_many_pixels_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 900 * 600 - 1)
    assert decoded(jpeg_photo()) is None
    monkeypatch.setattr(decoding, "MAX_PIXELS", 900 * 600)
    assert decoded(jpeg_photo()) is not None


class Choking(Models):
    """Models that fail for every batch with a grey picture in it, as for one that needs too much memory."""

    def find_all(self, pictures: Sequence[Pixels], tasks: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        if any(np.ptp(picture) == 0 for picture in pictures):
            raise ModelUnavailable(detail="/opt/secret is out of memory")
        return super().find_all(pictures, tasks)


def test_a_picture_that_models_fail_at_harms_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "grey").save(out, "PNG")
    models = Choking(CATALOGUE, models_folder(), [SIMILARITY])
    finder = Finder(CATALOGUE, models, ThreadPoolExecutor(2))
    batch = [Asked(body, (SIMILARITY,)) for body in (jpeg_photo(), out.getvalue(), b"", jpeg_photo())]
    told = finder.tell(batch)
    assert [one.status for one in told] == [200, 503, 200, 200]
    assert [one.batch for one in told] == [1, 1, 1, 1]
    assert "vector" in told[0].document["tasks"][SIMILARITY]
    assert told[1].document["code"] == "model-unavailable"
    assert "secret" not in str(told[1].document)
    assert told[2].document["tasks"][SIMILARITY]["error"] == "unreadable"
    assert "out of memory" in capsys.readouterr().out


def test_an_empty_list_of_readable_pictures_is_no_batch() -> None:
    finder = Finder(CATALOGUE, Models(CATALOGUE, models_folder(), [FACES, MODERATION]), ThreadPoolExecutor(2))
    [told] = finder.tell([Asked(b"nothing", (FACES, MODERATION))])
    assert {task: one["error"] for task, one in told.document["tasks"].items()} == {
        FACES: "unreadable",
        MODERATION: "unreadable",
    }
