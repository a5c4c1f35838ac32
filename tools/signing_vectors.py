"""Write packages/signers/signing.json: test vectors for signers in any language, from the code that verifies.

``python -m tools.signing_vectors`` writes the file; docs/reference/signatures.md describes its fields. With ``--lines``
it prints the vectors as lines, for tests in languages without a JSON parser.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "layers" / "darkroom"))

from darkroom.plan.native_url import parse_url  # noqa: E402
from darkroom.plan.url_builder import (  # noqa: E402
    OptionValue,
    build_extension_target,
    build_target,
    sign_literal,
    sign_query,
)
from darkroom.signing import PURPOSES, Purpose, remove_signature, sign, sign_message  # noqa: E402
from extensions import list_extensions  # noqa: E402

FILE = ROOT / "packages" / "signers" / "signing.json"
KEY = "a-key-of-test-vectors-äöü-0123456789"
"""Not ASCII: the HMAC's key is its UTF-8."""

EXPIRES_S = 1_900_000_000
EXTENSION = "example"

type Options = Mapping[str, OptionValue]

_KEYS = (
    "photo.jpg",
    "IMG_1234-2.jpg",
    "2026/summer/photo.jpg",
    "a",
    "no-extension",
    "UPPER/lower.JPG",
    "café.jpg",
    "cafe\u0301.jpg",
    "my photo 1.jpg",
    " leading and trailing ",
    "two  spaces.jpg",
    "~joe/a~b.jpg",
    "a+b.jpg",
    "icon@2x.png",
    "a[1](2){3}.jpg",
    "100%.jpg",
    "%C3%A9.jpg",
    "50%25.jpg",
    "a!b'c(d)e*.jpg",
    "a;b,c:d.jpg",
    "a&b=c$d.jpg",
    "what?.jpg",
    "number #1.jpg",
    '"quoted".jpg',
    "<angles>.jpg",
    "a`b^c|d\\e.jpg",
    "写真/日本.jpg",
    "фото.jpg",
    "صورة.jpg",
    "🐈.jpg",
    "👨\u200d👩\u200d👧.jpg",
    "ﬁ-ligature.jpg",
    "no\u00a0break.jpg",
    "\ufeffbom.jpg",
    "a.-b.jpg",
    "a.-2Db.jpg",
    "a..-2Db.jpg",
    "é-b.jpg",
    ".hidden",
    "..a/...b/c..jpg",
    "-a/-b-",
    "_a/b_/__.jpg",
    "s=1&exp=2.jpg",
    "_s.jpg",
    "a/s/exp.jpg",
    "\U0010ffff.jpg",
)
_OPTIONS: tuple[Options, ...] = (
    {},
    {"w": 800},
    {"w": 801},
    {"h": 601},
    {"w": 8192, "h": 1},
    {"w": 801, "up": 1},
    {"w": 801, "up": 0},
    {"dpr": 2},
    {"w": 400, "dpr": 2},
    {"w": 401, "dpr": "1.5"},
    {"w": 8000, "dpr": 4},
    {"width": 400, "height": 300},
    {"w": 600, "h": 400, "fit": "cover"},
    {"w": 600, "h": 400, "fit": "contain"},
    {"w": 600, "h": 400, "fit": "fill"},
    {"w": 600, "h": 400, "fit": "letterbox", "bg": "fff"},
    {"w": 600, "fit": "cover"},
    {"w": 600, "h": 400, "fit": "cover", "g": "center"},
    {"w": 600, "h": 400, "fit": "cover", "g": "northeast"},
    {"w": 600, "h": 400, "fit": "cover", "g": "attention"},
    {"w": 600, "h": 400, "fit": "cover", "g": "face"},
    {"w": 600, "h": 400, "fit": "cover", "g": "obj:dog"},
    {"w": 600, "h": 400, "fit": "cover", "g": "fp:0.25:0.5"},
    {"w": 600, "h": 400, "fit": "cover", "g": "fp:1:0"},
    {"w": 600, "h": 400, "g": "north"},
    {"crop": "10,20,300,400"},
    {"crop": "pct:10,10,50,50"},
    {"crop": "pct:0,0,100,100"},
    {"crop": "pct:12.5,0,33.33,100"},
    {"rot": 90},
    {"rot": 180, "flip": "v"},
    {"rot": 270, "flip": "hv"},
    {"flip": "h"},
    {"flip": "none"},
    {"trim": 10},
    {"trim": 0},
    {"pad": 20},
    {"pad": "10,20"},
    {"pad": "1,2,3,4"},
    {"pad": 0},
    {"bg": "F80"},
    {"bg": "ff8800ff"},
    {"bg": "0008"},
    {"radius": 16},
    {"blur": "2.5"},
    {"blur": "0.05"},
    {"sharp": 1},
    {"denoise": 3},
    {"equalise": 1},
    {"bri": -10, "con": 20, "sat": -100},
    {"brightness": 5, "saturation": 0},
    {"gam": "1.25"},
    {"gam": 1},
    {"gray": 1},
    {"wm": "logo,southeast,80,20"},
    {"wm": "logo"},
    {"w": 801, "redact": "faces"},
    {"redact": "all"},
    {"redact": "text,faces"},
    {"redact": "faces,plate"},
    {"f": "auto", "w": 801},
    {"f": "jpeg"},
    {"f": "jpg"},
    {"f": "png", "q": 80},
    {"f": "webp", "q": 80},
    {"f": "avif", "q": "auto"},
    {"f": "gif", "anim": 0},
    {"format": "webp", "quality": 75, "width": 333},
    {"f": "json"},
    {"f": "json", "boxes": 1},
    {"f": "json", "w": 300, "boxes": 0},
    {"f": "thumbhash", "w": 100},
    {"w": 801, "anim": 0, "f": "webp"},
    {"page": 2, "w": 801},
    {"page": 0, "w": 801},
    {"meta": "rights", "w": 801},
    {"meta": "none"},
    {"w": 801, "dl": "holiday.jpg"},
    {"w": 801, "dl": "été à la mer.jpg"},
    {"w": 801, "dl": "a_b-c.d~e.jpg"},
    {"w": 801, "dl": "1 + 1 = 2 & more?.jpg"},
    {"w": 801, "dl": "100%25.jpg"},
    {"w": 801, "dl": "(a)!'*.jpg"},
    {"preset": "cover"},
    {"preset": "social", "f": "webp"},
    {"preset": "cover", "w": 300},
    {"preset": "w640", "q": 60, "h": 300},
    {"w": 1200, "h": 630, "fit": "cover", "g": "attention", "q": "auto", "f": "avif", "sharp": "0.5", "bg": "eee"},
    {"w": 640, "ov": "text:SALE"},
    {"w": 640, "ov": "text:79 €,size:9,color:000000,back:ffffff"},
    {"w": 640, "f": "webp", "ov": "text:تخفيضات اليوم,at:northeast,back:00000099"},
    {"w": 640, "ov": "text:מבצע מיוחד 50%,at:southwest"},
    {
        "w": 640,
        "ov": "text:限时特价,size:7,color:ff3b30;image:badges/new.png,at:center,width:30,rotate:340,blend:multiply",
    },
    {"ov": "image:badges/new.png"},
    {"w": 801, "up": "ai"},
    {"up": "ai"},
    {"w": 801, "cutout": 1},
    {"w": 801, "cutout": 0},
    {"f": "webp", "cutout": 1, "anim": 0},
    {"f": "webp", "redact": "pii", "anim": 0},
    {"f": "webp", "page": 1, "anim": 0},
    {"f": "avif", "anim": 0},
    {"f": "webp", "anim": 1},
    {"w": 801, "enh": "auto"},
    {"w": 801, "enh": "none", "wb": 0},
    {"w": 801, "wb": 1},
    {"w": 801, "rot": 0, "equalise": 0, "gray": 0},
    {"w": 801, "enh": "auto", "wb": 1, "wm": "logo", "cutout": 1},
    {"w": 801, "meta": "rights", "cutout": 1, "f": "png"},
    {"f": "json", "cutout": 1, "enh": "auto", "wb": 1, "meta": "none"},
    {"w": 600, "h": 400, "fit": "cover", "g": "entropy"},
    {"w": 600, "h": 400, "fit": "cover", "g": "text"},
    {"w": 600, "h": 400, "fit": "cover", "g": "north"},
    {"w": 600, "h": 400, "fit": "cover", "g": "east"},
    {"w": 600, "h": 400, "fit": "cover", "g": "southeast"},
    {"w": 600, "h": 400, "fit": "cover", "g": "south"},
    {"w": 600, "h": 400, "fit": "cover", "g": "southwest"},
    {"w": 600, "h": 400, "fit": "cover", "g": "west"},
    {"w": 600, "h": 400, "fit": "cover", "g": "northwest"},
)
_ODD_OPTIONS: tuple[Options, ...] = ({"w": 801}, {"w": 601, "h": 401, "fit": "cover", "g": "fp:0.3:0.7", "f": "webp"})
"""Options of every key."""

_TARGETS = (
    "/photo.jpg?w=801",
    "/photo.jpg?width=801",
    "/photo.jpg?h=600&w=801",
    "/photo.jpg?w=801&h=600",
    "/photo.jpg?f=webp&w=801",
    "/photo.jpg?q=80&w=801&f=webp",
    "/photo.jpg?pixel-ratio=2&width=401",
    "/photo.jpg?fit=cover&h=400&w=600&gravity=fp,0.25,0.5",
    "/photo.jpg?fit=cover&h=400&w=600&gravity=fp%3A0.25%3A0.5",
    "/photo.jpg?crop=pct:10,10,50,50",
    "/photo.jpg?crop=pct%3a10%2c10%2c50%2c50",
    "/photo.jpg?crop=pct%3A10%2C10%2C50%2C50",
    "/photo.jpg?pad=1:2:3:4",
    "/photo.jpg?bg=FF8800",
    "/photo.jpg?background=ff8800",
    "/photo.jpg?flip=v",
    "/photo.jpg?flip=v&rot=180",
    "/photo.jpg?blur=2.50",
    "/photo.jpg?blur=0.50",
    "/photo.jpg?gam=1.0&w=801",
    "/photo.jpg?dpr=1.0&w=801",
    "/photo.jpg?w=801&up=0&trim=0&rot=0",
    "/photo.jpg?w=801&f=auto",
    "/photo.jpg?w=801&q=auto",
    "/photo.jpg?f=jpg&w=801",
    "/photo.jpg?%77=801",
    "/photo.jpg?w=%38%30%31",
    "/photo.jpg?dl=a+b.jpg&w=801",
    "/photo.jpg?dl=a%20b.jpg&w=801",
    "/photo.jpg?dl=a%2Bb.jpg&w=801",
    "/photo.jpg?dl=caf%c3%a9.jpg&w=801",
    "/photo.jpg?dl=caf%C3%A9.jpg&w=801",
    "/photo.jpg?dl=a=b.jpg&w=801",
    "/photo.jpg?dl=a%3Db%26c.jpg&w=801",
    "/photo.jpg?dl=it%27s.jpg&w=801",
    "/photo.jpg?redact=faces,text",
    "/photo.jpg?redact=text:faces",
    "/photo.jpg?w=640&ov=text:79%20%E2%82%AC,size:9",
    "/photo.jpg?ov=text%3A79+%E2%82%AC%2Csize%3A9&w=640",
    "/photo.jpg?w=640&ov=text:one;text:two,at:south",
    "/photo.jpg?preset=cover&w=300",
    "/photo.jpg?w=300&preset=cover",
    "/caf%C3%A9.jpg?w=801",
    "/caf%c3%a9.jpg?w=801",
    "/%63af%C3%A9.jpg?w=801",
    "/a%20b.jpg?w=801",
    "/a+b.jpg?w=801",
    "/a%2Bb.jpg?w=801",
    "/a%2Fb.jpg?w=801",
    "/a%2fb.jpg?w=801",
    "/~joe/photo.jpg?w=801",
    "/%7Ejoe/photo.jpg?w=801",
    "/a(1).jpg?w=801",
    "/a%281%29.jpg?w=801",
    "/a&b=c.jpg?w=801",
    "/a%26b%3Dc.jpg?w=801",
    "/what%3F.jpg?w=801",
    "/number%20%231.jpg?w=801",
    "/100%25.jpg?w=801",
    "/%25C3%25A9.jpg?w=801",
    "/photo.jpg",
    "/photo.jpg?f=json",
    "/2026/%E5%86%99%E7%9C%9F.jpg?w=801&f=webp",
    "/%F0%9F%90%88.jpg?h=601",
    "/photo.jpg?upscale=ai&width=801",
    "/photo.gif?cutout=1&anim=0",
    "/photo.gif?animate=0&cutout=1&f=gif",
    "/photo.jpg?wb=1&w=801&enh=auto",
    "/photo.jpg?wb=0&w=801&enh=none",
)
"""Other spellings, which a page may have already."""


def build_document() -> dict[str, object]:
    """Build the content of the file."""
    return {
        "about": "Test vectors of signatures; see docs/reference/signatures.md. Written by tools/signing_vectors.py.",
        "key": KEY,
        "images": [*_images()],
        "extensions": [*_extensions()],
        "targets": [_vector(target, expires_s) for target in _TARGETS for expires_s in _expiries(target)],
        "purposes": [_sign_for(purpose) for purpose in list_purposes()],
    }


def list_purposes() -> Iterator[Purpose]:
    """Yield all purposes, those of extensions last."""
    yield from PURPOSES
    yield from (Purpose(name) for one in list_extensions() for name in one.purposes)


def _sign_for(purpose: Purpose) -> dict[str, object]:
    text = "/photo.jpg?w=801"
    return {
        "purpose": purpose.name,
        "domain": purpose.domain,
        "derived": purpose.derive_key(KEY) != KEY.encode(),
        "text": text,
        "signature": sign_message(text, KEY, purpose),
    }


def _images() -> Iterator[dict[str, object]]:
    cases: list[tuple[str, Options, int | None]] = [(_KEYS[0], options, None) for options in _OPTIONS]
    cases += [(key, options, None) for key in _KEYS[1:] for options in _ODD_OPTIONS]
    cases += [(key, _ODD_OPTIONS[at % 2], EXPIRES_S + at) for at, key in enumerate(_KEYS)]
    for image, options, expires_s in cases:
        ordered = {name: options[name] for name in sorted(options)}
        yield {"image": image, "options": ordered, **_vector(build_target(image, ordered), expires_s)}


def _extensions() -> Iterator[dict[str, object]]:
    """Yield vectors of extensions, whose paths have the encoded key."""
    cases: list[tuple[str, Options, int | None]] = [(key, {"w": 512}, None) for key in _KEYS]
    cases += [(_KEYS[0], {"w": 1024, "kind": "small", "detail": 1}, EXPIRES_S)]
    cases += [(_KEYS[0], {"w": 512, "h": 512, "fit": "cover", "g": "fp:0.25:0.5", "kind": "large"}, None)]
    cases += [("a.-b~c/..-.jpg", {"h": 256}, EXPIRES_S), ("100%/.-2D.jpg", {"h": 256}, None)]
    for image, options, expires_s in cases:
        target = build_extension_target(image, EXTENSION, options)
        ordered = {name: options[name] for name in sorted(options)}
        signed = sign_query(target, KEY, expires_s)
        made = {"target": target, "expires": expires_s, "signed": signed}
        yield {"image": image, "name": EXTENSION, "options": ordered, **made}


def _expiries(target: str) -> tuple[int | None, ...]:
    return (None, EXPIRES_S) if target in _TARGETS[:6] else (None,)


def _vector(target: str, expires_s: int | None) -> dict[str, object]:
    request = parse_url(target)
    signed = sign_literal(target, KEY, expires_s)
    return {
        "target": target,
        "expires": expires_s,
        "text": remove_signature(signed),
        "signed": signed,
        "canonical_text": request.path if expires_s is None else f"{request.path}?exp={expires_s}",
        "canonical_signature": sign(request.path, KEY, expires_s),
    }


def written() -> str:
    """Return the text of the file: one vector a line."""
    lists = build_document()
    parts = []
    for name, value in lists.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f"    {json.dumps(one, ensure_ascii=False)}" for one in value) + "\n  ]"
        parts.append(f"  {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def lines() -> str:
    """Return the key, and a line for each vector: target, expires, signed, and of images key, names and values.

    Those of extensions, whose target has ``/_/`` and the name, are among them.

    Fields are separated by tabs, which no vector contains.
    """
    document: Any = build_document()
    rows = [[document["key"]]]
    for one in (*document["images"], *document["extensions"], *document["targets"]):
        pairs = [str(word) for pair in one.get("options", {}).items() for word in pair]
        image = [one["image"]] if "image" in one else []
        rows.append(
            [one["target"], "" if one["expires"] is None else str(one["expires"]), one["signed"], *image, *pairs]
        )
    return "".join("\t".join(row) + "\n" for row in rows)


if __name__ == "__main__":
    if sys.argv[1:] == ["--lines"]:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.write(lines())
    else:
        FILE.write_text(written(), encoding="utf-8")
