"""The columns of the matrix: what Darkroom does with an image, and the default rule of each."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

from PIL import Image

from cli.dialect_signing import sign_in_dialect
from darkroom_dialects.serving.signing_keys import parse_keys
from local.dialect_keys import DOCUMENT
from tests.images.signed_files import read_manifest
from tests.stack.inference_client import detected
from tests.stack.viewer import Answer, Viewer

from .kinds import Exceptional, Kind
from .reference import NOT_COMPARED, measure, measure_difference, render_reference, to_rgba

BOX_PX = 240
"""Width of most columns, below that of most kinds."""

GIF_TOLERANCE = 4.0
"""What a palette of 256 colours adds to a difference."""

ENLARGED_TOLERANCE = 4.0
"""What enlarging a small image adds: blocks of few pixels have other edges."""

type Check = Callable[[Answer, Kind], None]


@dataclass(frozen=True)
class Feature:
    """A column: ``request`` makes the URL of a path, ``check`` fails unless an answer of 200 follows the rule."""

    name: str
    request: Callable[[Viewer, str], str]
    check: Check
    accept: str = "*/*"

    def look(self, viewer: Viewer, path: str) -> Answer:
        """Request it."""
        return viewer.get(self.request(viewer, path), accept=self.accept)


def verify(cell: str, answer: Answer, kind: Kind, check: Check) -> str:
    """Return what is wrong with a cell, empty if nothing is."""
    exception = kind.find_exception(cell)
    if exception is not None and exception.status:
        return _compare_refusal(answer, exception)
    if exception is not None and exception.tolerance:
        kind = replace(kind, tolerance=exception.tolerance)
    problem = _find_problem(answer, kind, check)
    if exception is not None and exception.defect:
        return "" if problem else f"holds now: remove its exception ({exception.reason})"
    return problem


def _compare_refusal(answer: Answer, exception: Exceptional) -> str:
    code = answer.headers.get("x-darkroom-error", "")
    if (answer.status, code) == (exception.status, exception.code):
        return ""
    return f"{answer.status} {code}, expected {exception.status} {exception.code}: {exception.reason}"


def _find_problem(answer: Answer, kind: Kind, check: Check) -> str:
    if answer.status != 200:
        return f"{answer.status} {answer.body[:300]!r}"
    if kind.private and kind.private.encode() in answer.body:
        return f"contains {kind.private!r}"
    try:
        check(answer, kind)
    except (AssertionError, OSError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


# ------------------------------------------------------------------ rules


def shows(
    media_type: str, width: int = BOX_PX, height: int = 8192, *, animated: bool = False, exact: bool = True
) -> Check:
    """The whole image in a box or at its own size, looking like its reference. ``exact``: nothing but scaled."""

    def check(answer: Answer, kind: Kind) -> None:
        image = _open(answer, media_type)
        across, down = measure(kind)
        scale = min(1.0, width / across, height / down)
        wanted = max(1, round(across * scale)), max(1, round(down * scale))
        near = all(abs(is_px - wanted_px) <= 1 for is_px, wanted_px in zip(image.size, wanted, strict=True))
        assert near, f"{image.size}, expected {wanted}"
        if animated:
            frames = getattr(image, "n_frames", 1)
            assert frames == kind.frames, f"{frames} frames, expected {kind.frames}"
            image.seek(0)
        if exact:
            _compare(image, kind, GIF_TOLERANCE if image.format == "GIF" else 0)

    return check


def has_shape(media_type: str, shape: tuple[int, int] | None = None, *, compare: bool = False) -> Check:
    """An image with the aspect ratio of ``shape``, and no larger; or with that of the source."""

    def check(answer: Answer, kind: Kind) -> None:
        image = _open(answer, media_type)
        width, height = shape or measure(kind)
        if shape:
            assert (image.width <= width) and (image.height <= height), f"{image.size}, over {shape}"
        assert abs(image.width * height - image.height * width) <= max(width, height), (
            f"{image.size} of {width}×{height}"
        )
        if compare:
            _compare(image, kind, ENLARGED_TOLERANCE)

    return check


def fits(media_type: str, width: int) -> Check:
    """An image that is no wider than ``width``."""

    def check(answer: Answer, kind: Kind) -> None:
        image = _open(answer, media_type)
        assert image.width <= width, f"{image.size}, over {width}"

    return check


def _open(answer: Answer, media_type: str) -> Image.Image:
    found = answer.headers["content-type"]
    assert found in media_type.split("|"), f"{found}, expected {media_type}"
    image = Image.open(io.BytesIO(answer.body))
    image.load()
    assert image.getexif().get(0x0112, 1) == 1, "it has an orientation"
    return image


def _compare(image: Image.Image, kind: Kind, further: float) -> None:
    if kind.reference == NOT_COMPARED:
        return
    difference = measure_difference(to_rgba(image), render_reference(kind))
    assert difference <= kind.tolerance + further, f"differs by {difference:.1f}"


def describes(answer: Answer, kind: Kind) -> None:
    """JSON with the size of the upright image."""
    facts, expected = json.loads(answer.body), measure(kind)
    assert (facts["width"], facts["height"]) == expected, (facts["width"], facts["height"], expected)


def is_thumbhash(answer: Answer, kind: Kind) -> None:
    """A ThumbHash whose mean colour is that of the image (its header is the mean in L, P and Q)."""
    header = int.from_bytes(b64decode(answer.body)[:3], "little")
    light, p, q = (header & 63) / 63, (header >> 6 & 63) / 31.5 - 1, (header >> 12 & 63) / 31.5 - 1
    blue = light - 2 / 3 * p
    red = (3 * light - blue + q) / 2
    if kind.reference != NOT_COMPARED and not header >> 23 & 1:
        mean = Image.Image.resize(render_reference(kind).convert("RGB"), (1, 1), Image.Resampling.BOX).getpixel((0, 0))
        for shown, expected in zip((red, red - q, blue), mean, strict=True):  # type: ignore[arg-type]
            assert abs(shown * 255 - expected) < 20, f"the mean is {mean}, shown {(red, red - q, blue)}"


def is_signed(answer: Answer, kind: Kind) -> None:
    """Content Credentials that the C2PA's own library finds valid."""
    state, manifest = read_manifest(answer.body, answer.headers["content-type"])
    assert state == "Valid", state
    assert manifest["ingredients"], "it has no parent"
    assert not kind.issuer or kind.issuer in str(manifest["store"]), "the parent's manifest was left out"


def has_rights(answer: Answer, kind: Kind) -> None:
    """The creator of the upload, where it has one."""
    shows("image/jpeg")(answer, kind)
    assert kind.rights.encode() in answer.body, f"{kind.rights} is missing"


# ------------------------------------------------------------------ requests


def _signed(query: str) -> Callable[[Viewer, str], str]:
    return lambda viewer, path: viewer.signed(f"{path}?{query}")


def _plain(query: str) -> Callable[[Viewer, str], str]:
    return lambda viewer, path: f"{path}?{query}"


def _dialect(name: str, target: str) -> Callable[[Viewer, str], str]:
    return lambda viewer, path: sign_in_dialect(name, target.format(key=path[1:]), parse_keys(DOCUMENT))


def _native(query: str, check: Check, accept: str = "*/*") -> Feature:
    return Feature(query, _signed(query), check, accept)


_W = f"w={BOX_PX}"
_AVIF = "image/avif,image/webp,*/*"
_STILL_TYPES = "image/jpeg|image/png"

OUTPUTS = (
    _native(f"{_W}&f=jpeg", shows("image/jpeg")),
    _native(f"{_W}&f=png", shows("image/png")),
    _native(f"{_W}&f=webp", shows("image/webp", animated=True)),
    _native(f"{_W}&f=avif", shows("image/avif")),
    _native(f"{_W}&f=gif", shows("image/gif", animated=True)),
    Feature("f=auto, avif", _signed(_W), shows("image/avif|image/webp"), _AVIF),
    Feature("f=auto, webp", _signed(_W), shows("image/webp|image/png"), "image/webp,*/*"),
    Feature("f=auto, legacy", _signed(_W), shows(f"{_STILL_TYPES}|image/gif")),
    Feature("no options", _plain(""), shows(f"{_STILL_TYPES}|image/gif", 2560, 2560)),
    Feature("preset=w320", _plain("preset=w320"), shows("image/webp", 320)),
    Feature("preset=cover", _plain("preset=cover"), has_shape("image/webp", (256, 256))),
    Feature("preset=social", _plain("preset=social"), has_shape("image/jpeg", (1200, 630))),
    Feature("f=json", _plain("f=json"), describes),
    Feature("f=thumbhash", _plain("f=thumbhash"), is_thumbhash),
    _native(f"{_W}&anim=0&f=webp", shows("image/webp")),
    _native(f"{_W}&meta=rights&f=jpeg", has_rights),
    Feature(
        "imgproxy",
        _dialect("imgproxy", f"/rs:fit:{BOX_PX}:0/plain/{{key}}@png"),
        has_shape("image/png", compare=True),
    ),
    Feature(
        "thumbor", _dialect("thumbor", f"/{BOX_PX}x0/filters:format(png)/{{key}}"), has_shape("image/png", compare=True)
    ),
    Feature("dit", _dialect("dit", f"/{{key}}?width={BOX_PX}&format=png"), has_shape("image/png", compare=True)),
    Feature(
        "cloudinary",
        _dialect("cloudinary", f"/demo/image/upload/w_{BOX_PX}/f_png/{{key}}"),
        has_shape("image/png", compare=True),
    ),
    Feature("imgix", _dialect("imgix", f"/{{key}}?w={BOX_PX}&fm=png"), has_shape("image/png", compare=True)),
    Feature(
        "cloudflare",
        lambda viewer, path: f"/cdn-cgi/image/width=320,format=webp{path}",
        has_shape("image/webp", compare=True),
    ),
    Feature(
        "iiif",
        lambda viewer, path: f"/iiif/3/{path[1:].replace('/', '%2F')}/full/max/0/default.jpg",
        has_shape("image/jpeg", compare=True),
    ),
)
"""Columns of every master: formats, presets, descriptions, and a URL of each dialect."""

EFFECTS = (
    _native(f"{_W}&q=auto&f=webp", shows("image/webp", animated=True)),
    _native(f"{_W}&gray=1&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&blur=2&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&sharp=1&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&enh=auto&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&equalise=1&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&denoise=3&f=png", shows("image/png")),
    _native(f"{_W}&bri=10&con=10&sat=-20&gam=1.2&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&trim=10&f=png", fits("image/png", BOX_PX)),
    _native(f"{_W}&pad=10&bg=ff0000&f=png", fits("image/png", BOX_PX + 20)),
    _native(f"{_W}&h={BOX_PX}&fit=letterbox&bg=00ff00&f=png", has_shape("image/png", (BOX_PX, BOX_PX))),
    _native(f"{_W}&radius=8&f=webp", shows("image/webp", exact=False)),
    _native(f"{_W}&crop=pct:25,25,50,50&f=png", fits("image/png", BOX_PX)),
    _native("w=120&dpr=2&f=webp", shows("image/webp")),
    _native(f"{_W}&wb=1&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&page=0&f=jpeg&dl=a.jpg", shows("image/jpeg")),
    _native(f"{_W}&rot=90&flip=h&f=png", fits("image/png", BOX_PX)),
    _native("w=100&h=100&fit=cover&g=attention&f=jpeg", has_shape("image/jpeg", (100, 100))),
    _native("w=100&h=100&fit=cover&g=entropy&f=jpeg", has_shape("image/jpeg", (100, 100))),
    _native("w=640&up=1&f=jpeg", has_shape("image/jpeg", compare=True)),
    _native(f"{_W}&wm=logo,southeast,80,20&f=png", shows("image/png", exact=False)),
    _native(f"{_W}&f=png&ov={quote('text:Sale')}", shows("image/png", exact=False)),
)
"""Further columns of masters that ingest made."""


# ------------------------------------------------------------------ with findings


def hides_faces(answer: Answer, kind: Kind) -> None:
    """The image, in which a detector finds no face where the kind has one that is found."""
    shows("image/png", exact=False)(answer, kind)
    if not kind.faces:
        return
    left = detected(Image.open(io.BytesIO(answer.body)).convert("RGB"))
    assert not left, f"{len(left)} faces are left"


def has_boxes(answer: Answer, kind: Kind) -> None:
    """JSON with the boxes of all tasks, and of as many faces as there must be."""
    facts = json.loads(answer.body)
    assert (facts["pending"], facts["unreadable"]) == ([], []), facts
    found = len(facts["boxes"]["faces"])
    assert found >= kind.faces, f"{found} faces"


ANALYSED = (
    _native(f"{_W}&redact=faces&f=png", hides_faces),
    _native(f"{_W}&redact=text&f=webp", shows("image/webp", exact=False)),
    _native(f"{_W}&redact=all&f=jpeg", shows("image/jpeg", exact=False)),
    _native(f"{_W}&redact=pii&f=avif", shows("image/avif", exact=False)),
    _native("w=100&h=100&fit=cover&g=face&f=jpeg", has_shape("image/jpeg", (100, 100))),
    _native("w=100&h=100&fit=cover&g=text&f=jpeg", has_shape("image/jpeg", (100, 100))),
    _native("f=json&boxes=1", has_boxes),
)
"""Columns of masters that were analysed."""

SIGNED = Feature("signed preset", _plain("preset=w320"), is_signed)
"""A column of masters that ingest made: it renders and signs this preset."""

REENCODED = Feature("refined", _signed(f"{_W}&f=auto"), shows("image/webp|image/png"), "image/webp,*/*")
"""A column whose derivative is re-encoded before it is requested."""
