"""Random URLs without a valid signature, in every dialect: within the finite set, near it, and far from it.

They are drawn by :mod:`random` with a seed, so that 20,000 of them take a second and a failure can be repeated.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

from darkroom.plan.model import AUTO_CLASSES, DATA_FORMATS, EXTENDED_FORMATS, IMAGE_FORMATS
from darkroom.plan.options import NATIVE_OPTIONS
from darkroom.plan.variants import LADDER_PX
from darkroom_dialects import cloudflare, cloudinary, dit, imgix, imgproxy, thumbor
from darkroom_dialects.iiif.spec import FORMATS as IIIF_FORMATS
from darkroom_dialects.iiif.spec import QUALITIES

ORIGIN = "https://images.example.com/photos/"
"""An address that the dialects' test settings map to keys."""

ACCOUNT = "account"
"""Cloudflare's account in the dialects' test settings."""

FORMATS = (*IMAGE_FORMATS, *EXTENDED_FORMATS, *DATA_FORMATS, *AUTO_CLASSES, "auto", "jpg", "svg", "heif", "raw", "")
ACCEPTS = ("", "*/*", "image/webp,*/*", "image/avif,image/webp,*/*", "image/avif;q=0.5,image/webp;q=0.7")
SIDES = (*LADDER_PX, *LADDER_PX, 1, 160, 300, 801, 1024, 2048, 4096, 8192)
NUMBERS = ("0", "1", "2", "5", "10", "60", "90", "100", "180", "255", "3600", "86400", "-1", "0.5", "1.5", "01", "+1")
_PLAIN = """
auto fit fill force cover contain crop pad squeeze inside outside true false t f h v hv ce no so ea we sm fp face center
top bottom left right middle smart attention entropy north high low none copyright keep max full square redirect fast
ff0000 red scale-up scale-down default small w320 w640 cover social
"""
WORDS = (
    *_PLAIN.split(),
    "fp:0.5:0.5",
    "0.5x0.5",
    "pct:0,0,50,50",
    "",
)


@dataclass(frozen=True)
class Sent:
    """A request as it is sent: ``target`` is path and query, not decoded; names of ``headers`` are in lower case."""

    dialect: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)


def unsigned_urls(seed: int, count: int, keys: Sequence[str]) -> Iterator[Sent]:
    """Yield ``count`` requests for ``keys``, the dialects in turn."""
    random = Random(seed)
    for number in range(count):
        dialect = list(DIALECTS)[number % len(DIALECTS)]
        yield Sent(dialect, DIALECTS[dialect](random, random.choice(keys)), _headers(random))


def _headers(random: Random) -> dict[str, str]:
    headers = {"accept": random.choice(ACCEPTS)}
    if random.random() < 0.2:
        headers["save-data"] = "on"
    if random.random() < 0.2:
        headers[random.choice(("dpr", "sec-ch-dpr"))] = random.choice(("1", "1.5", "2", "2.625", "3", "4", "9"))
    return headers


def _value(random: Random) -> str:
    pools = (NUMBERS, WORDS, FORMATS, tuple(map(str, SIDES)))
    value = random.choice(random.choice(pools))
    return random.choice((value, value, value, f"{value}.0", f"0{value}", f"{random.randint(-9, 90_000)}"))


def _values(random: Random, separator: str, most: int = 4) -> str:
    return separator.join(_value(random) for _ in range(random.randint(1, most)))


def _spelled(random: Random, text: str) -> str:
    """``text`` in one of its spellings: as it is, or with some characters escaped, perhaps twice."""
    way = random.random()
    if way < 0.85:
        return text
    chosen = random.randrange(len(text)) if text else 0
    escape = (f"%{ord(text[chosen]) & 0xFF:02X}", f"%{ord(text[chosen]) & 0xFF:02x}")[way > 0.95] if text else ""
    return text[:chosen] + (escape.replace("%", "%25") if way > 0.98 else escape) + text[chosen + 1 :]


def _native(random: Random, key: str) -> str:
    near = [
        (f"w={random.choice(SIDES)}",),
        (f"width={random.choice(SIDES)}", f"f={random.choice(FORMATS)}"),
        (f"w={random.choice(SIDES)}", f"f={random.choice(FORMATS)}", f"dpr={random.choice((1, 1.5, 2, 3, 4))}"),
        (f"f={random.choice(FORMATS)}",),
        (f"preset={random.choice(WORDS)}",),
        (),
    ]
    pairs = list(random.choice(near))
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        option = random.choice(NATIVE_OPTIONS)
        default = option.type.format(option.default) if option.default is not None else ""
        name = random.choice((option.short, option.long))
        value = random.choice((default, _values(random, random.choice(",:"))))
        if option.short != "s":
            pairs.append(f"{name}={_spelled(random, value)}")
    random.shuffle(pairs)
    return f"/{_spelled(random, key)}" + ("?" + "&".join(pairs) if pairs else "")


_IMGPROXY = [name for covered in imgproxy.OPTION_MAPPINGS for name in covered.names]
_HARMLESS = (
    "cb:{n}",
    "exp:{n}",
    "fn:a{n}",
    "sm:1",
    "ar:1",
    "att:0",
    "q:0",
    "el:0",
    "dpr:1",
    "rs:fit",
    "mb:{n}",
    "kcr:1",
)


def _imgproxy(random: Random, key: str) -> str:
    near = [
        [f"w:{random.choice(SIDES)}"],
        [f"rs:fit:{random.choice(SIDES)}:0", f"f:{random.choice(FORMATS)}"],
        [f"size:{random.choice(SIDES)}"],
        [f"w:{random.choice(SIDES)}", f"ext:{random.choice(FORMATS)}"],
        [f"pr:{random.choice(WORDS)}"],
        [],
    ]
    options = random.choice(near)
    for _ in range(random.choice((0, 0, 1, 2))):
        odd = f"{random.choice(_IMGPROXY)}:{_values(random, ':', 5)}"
        options.append(random.choice((odd, random.choice(_HARMLESS).format(n=random.randint(0, 2_000_000_000)))))
    extension = random.choice(("", "", f"@{random.choice(FORMATS)}"))
    source = f"plain/{_spelled(random, random.choice(('', ORIGIN)) + key)}{extension}"
    if random.random() < 0.2:
        encoded = urlsafe_b64encode(key.encode()).decode().rstrip("=")
        source = encoded + random.choice(("", f".{random.choice(FORMATS)}"))
    signature = random.choice(("insecure", "unsafe", "_", "-"))
    if random.random() < 0.05:
        asked = random.choice(("", "size:1/", "th:1/pn:1/", f"page:{random.randint(0, 3)}/", f"cb:{random.random()}/"))
        return random.choice((f"/imgproxy/info/{signature}/{asked}{source}", "/imgproxy/health"))
    return "/imgproxy/" + "/".join([signature, *options, source])


def _thumbor(random: Random, key: str) -> str:
    parts = ["unsafe"]
    if random.random() < 0.1:
        parts.append(random.choice(("meta", "debug", "trim", "trim:10", "10x10:60x60")))
    if random.random() < 0.5:
        parts.append(random.choice(("fit-in", "full-fit-in", "adaptive-fit-in")))
    if random.random() < 0.7:
        side = random.choice(SIDES)
        parts.append(
            random.choice((f"{side}x0", f"{side}x", f"0x{side}", f"{side}x{side}", f"-{side}x0", "0x0", "origx0"))
        )
    if random.random() < 0.1:
        parts.append(random.choice(("left", "middle", "smart", "right/top")))
    filters = []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        near = (
            f"format({random.choice(FORMATS)})",
            f"max_age({random.randint(0, 100_000)})",
            "no_upscale()",
            "no_upscale()",
            "strip_exif()",
            "strip_icc()",
            f"quality({random.randint(0, 101)})",
        )
        odd = f"{random.choice(thumbor.OPTION_MAPPINGS).name}({_values(random, ',')})"
        filters.append(random.choice((*near, *near, odd)))
    if filters:
        parts.append("filters:" + ":".join(filters))
    return "/thumbor/" + "/".join([*parts, _spelled(random, random.choice(("", ORIGIN)) + key)])


def _dit(random: Random, key: str) -> str:
    side = random.choice(SIDES)
    form = random.random()
    if form < 0.4:
        near = (
            f"width={side}",
            f"width={side}&format={random.choice(FORMATS)}",
            f"width={side}&fit=inside",
            f"resize.width={side}&resize.fit=inside&resize.withoutEnlargement=true",
            f"resize.width={side}&format={random.choice(FORMATS)}&resize.withoutEnlargement=true",
            f"format={random.choice(FORMATS)}",
        )
        query = random.choice(near)
        for _ in range(random.choice((0, 0, 1, 2))):
            name = random.choice([covered.name for covered in dit.OPTION_MAPPINGS if covered.group.startswith("query")])
            query += f"&{name}={_value(random)}" if name not in ("signature", "expires") else f"&bust={side}"
        return f"/dit/{_spelled(random, key)}?{query}"
    if form < 0.6:
        return "/dit" + _thumbor(random, key).removeprefix("/thumbor/unsafe")
    edits: dict[str, object] = {"resize": {"width": side, "fit": "inside", "withoutEnlargement": True}}
    if random.random() < 0.3:
        edits[random.choice(dit.OPTION_MAPPINGS).name] = random.choice((True, False, None, side, _value(random), {}))
    if random.random() < 0.3:
        edits = {"toFormat": random.choice(FORMATS), **edits}
    document: dict[str, object] = {"key": key, "edits": edits if random.random() < 0.8 else {}}
    if random.random() < 0.1:
        document["bucket"] = "photos"
    if random.random() < 0.6:
        document["headers"] = {"Cache-Control": f"max-age={random.randint(0, 100_000)}"}
    if random.random() < 0.3:
        document["outputFormat"] = random.choice(FORMATS)
    text = json.dumps(document, separators=random.choice(((",", ":"), (", ", ": "))))
    return f"/dit/{b64encode(text.encode()).decode()}"


def _cloudflare(random: Random, key: str) -> str:
    options = [
        random.choice((f"width={random.choice(SIDES)}", f"w={random.choice(SIDES)}", "width=auto", "fit=scale-down"))
    ]
    if random.random() < 0.5:
        options.append(f"{random.choice(('format', 'f'))}={random.choice(FORMATS)}")
    names = [random.choice(random.choice(cloudflare.OPTION_MAPPINGS).names) for _ in range(random.choice((0, 0, 1, 2)))]
    options += [f"{name}={_value(random)}" for name in names]
    if random.random() < 0.25:
        variant = random.choice((",".join(options), random.choice(WORDS), "public", "cover", "w640"))
        return f"/cdn-cgi/imagedelivery/{random.choice((ACCOUNT, ACCOUNT, 'other'))}/{_spelled(random, key)}/{variant}"
    return f"/cdn-cgi/image/{','.join(options)}/{_spelled(random, random.choice(('', '/', ORIGIN)) + key)}"


def _cloudinary(random: Random, key: str) -> str:
    components = [random.choice(("c_limit,", "c_limit,", "c_lfill,", "")) + f"w_{random.choice(SIDES)}"]
    if random.random() < 0.5:
        components.append(random.choice(("f_auto", "f_auto,q_auto", f"f_{random.choice(FORMATS)}", "fl_progressive")))
    names = [random.choice(cloudinary.OPTION_MAPPINGS).name for _ in range(random.choice((0, 0, 1, 2)))]
    components += [f"{name}{':' if name.startswith(('e_', 'fl_')) else '_'}{_value(random)}" for name in names]
    cloud, version = random.choice(("demo/", "")), random.choice(("", "v1/", "v1712345678/"))
    return f"/cloudinary/{cloud}image/upload/{'/'.join(components)}/{version}{_spelled(random, key)}"


def _imgix(random: Random, key: str) -> str:
    pairs = [random.choice((f"w={random.choice(SIDES)}", f"width={random.choice(SIDES)}", "auto=format"))]
    pairs.append(random.choice(("fit=max", "fit=max", "fit=clip", "fit=min")))
    if random.random() < 0.5:
        pairs.append(random.choice(("auto=format,compress", f"fm={random.choice(FORMATS)}", "ixlib=js-3.8.0")))
    names = [random.choice(random.choice(imgix.OPTION_MAPPINGS).names) for _ in range(random.choice((0, 0, 1, 2)))]
    pairs += [f"{name}={_value(random)}" for name in names]
    address = quote(ORIGIN, safe="") + key if random.random() < 0.2 else key
    return f"/imgix/{_spelled(random, address)}?{'&'.join(pairs)}"


_IIIF_LISTED = (
    "full/max/",
    "full/640,480/",
    "full/320,240/",
    "full/320,/",
    "full/160,120/",
    "0,0,512,480/512,480/",
    "0,0,512,480/512,/",
    "512,0,128,480/128,480/",
    "0,0,640,480/320,240/",
)
"""The sizes in ``info.json`` of an image of 640×480 px, and some other spellings."""


def _iiif(random: Random, key: str) -> str:
    identifier = _spelled(random, quote(key, safe=""))
    if random.random() < 0.1:
        return f"/iiif/3/{identifier}{random.choice(('', '/', '/info.json'))}"
    version = random.choice(("/iiif/3", "/iiif/3", "/iiif/2"))
    if random.random() < 0.5:
        listed = random.choice(_IIIF_LISTED) + random.choice(("0/default.jpg", "0/default.jpg", "%30/default.jpg"))
        return f"{version}/{identifier}/{_spelled(random, listed)}"
    x, y = (random.choice((0, 0, 512, 1024, 7)) for _ in range(2))
    side, edge = random.choice((512, 128, 88)), random.choice((512, 480, 128, 88))
    region = random.choice(("full", "full", "square", f"{x},{y},{side},{edge}", "pct:0,0,50,50"))
    sides = (640, 480, 512, 320, 240, 160, 120, 256, 128, *SIDES)
    size = random.choice(
        ("max", "^max", f"{random.choice(sides)},", f",{random.choice(sides)}", "pct:50", "640,480", "320,240")
    )
    size = random.choice((size, f"{random.choice(sides)},{random.choice(sides)}", f"!{side},{edge}"))
    rotation = random.choice(("0", "0", "0", "90", "!0", "0.0", "00", "22.5"))
    quality = random.choice(("default", "default", "default", *QUALITIES))
    extension = random.choice(("jpg", "jpg", *IIIF_FORMATS, "pdf"))
    words = (region, size, rotation, f"{quality}.{extension}")
    return f"{version}/{identifier}/" + "/".join(_spelled(random, word) for word in words)


DIALECTS = {
    "native": _native,
    "imgproxy": _imgproxy,
    "thumbor": _thumbor,
    "dit": _dit,
    "cloudflare": _cloudflare,
    "imgix": _imgix,
    "cloudinary": _cloudinary,
    "iiif": _iiif,
}
"""Each dialect's generator."""
