"""The table of URL dialects: paths, properties at the edge, access and documentation.

Template, edge function, settings and docs/reference/dialects follow from it: see docs/decisions/history.md, 50.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from darkroom.image_keys import quote_key

DOCUMENT_SUFFIX = "/info.json"
DOCUMENT_TYPES = ("application/ld+json", "application/json")
"""How paths of IIIF documents end, and the media types that ``Accept`` can name for them."""


@dataclass(frozen=True, slots=True)
class Documentation:
    """The content of a dialect's page in docs/reference/dialects.

    ``groups`` are pairs of an option group and its label, ``examples`` URLs without the prefix.
    """

    title: str
    signature: str
    groups: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One URL dialect, parsed by the package ``darkroom_dialects.<name>``.

    ``prefix`` and ``further_prefixes`` begin its paths. ``path_pattern`` is that of its cache behaviour, by default
    ``<prefix>/*``. ``keeps_prefix``: the prefix belongs to the dialect, not to Darkroom, and the parser expects it.
    ``has_query``: the parser reads the query. ``signs_query``: signatures cover all of it as spelled. ``names_host``:
    responses contain the viewer's host. ``signed``: URLs can have signatures over the path as spelled; for other
    dialects the edge normalises the percent-encoding. ``health``: path after the prefix and body of a health check.
    ``host_parameter``: template parameter with a host whose paths have no prefix.
    """

    name: str
    prefix: str
    path_pattern: str = ""
    keeps_prefix: bool = False
    has_query: bool = False
    signs_query: bool = False
    names_host: bool = False
    signed: bool = True
    health: tuple[str, str] | None = None
    host_parameter: str = ""
    further_prefixes: tuple[str, ...] = ()
    documentation: Documentation | None = field(default=None, compare=False, repr=False)

    @property
    def behaviour_pattern(self) -> str:
        return self.path_pattern or f"{self.prefix}/*"

    @property
    def mode_setting(self) -> str:
        """The name of the setting with its access mode."""
        return f"{self.name}_access_mode"

    def parser_input(self, target: str) -> str:
        """The part of ``target`` that the parser reads. ``target`` begins with the prefix."""
        return target if self.keeps_prefix else target.removeprefix(self.prefix)


IIIF_2_PREFIX = "/iiif/2"
"""Begins the paths of version 2.1."""

IIIF_2_SUFFIX = ".-v2"
"""Ends the cached path of a version 2 URL, which begins like one of version 3, so that one wildcard invalidates both.

No other path ends so: after ``.-`` :func:`encode_path` writes two digits or capitals.
"""

IIIF = Dialect(
    "iiif",
    "/iiif/3",
    "/iiif/?/*",
    keeps_prefix=True,
    names_host=True,
    signed=False,
    further_prefixes=(IIIF_2_PREFIX,),
)
"""Served by :mod:`darkroom_dialects.serving.iiif`, because its responses include documents. docs/guides/iiif.md."""

DIALECTS = (
    Dialect(
        "imgproxy",
        "/imgproxy",
        health=("/health", "imgproxy is running"),
        host_parameter="ImgproxyDomainName",
        documentation=Documentation(
            "imgproxy",
            "HMAC-SHA256, several pairs of key and salt",
            (("", "options of the open-source edition"), ("Pro", "of Pro")),
            (
                "/unsafe/rs:fit:800:600/plain/photo.jpg",
                "/unsafe/rs:fill:300:200/g:sm/plain/https://images.example.com/photo.jpg@avif",
                "/unsafe/pr:sharp/w:400/dpr:2/aHR0cHM6Ly9pbWFnZXMuZXhhbXBsZS5jb20vcGhvdG8uanBn.png",
                "/unsafe/c:0.5:0.5:nowe/pd:10:20/bg:f80/wm:0.5:soea:10:10:0.2/plain/photo.jpg@jpg",
            ),
        ),
    ),
    Dialect(
        "thumbor",
        "/thumbor",
        health=("/healthcheck", "WORKING"),
        host_parameter="ThumborDomainName",
        documentation=Documentation(
            "thumbor",
            "HMAC-SHA1",
            (("path", "parts of a path"), ("", "filters"), ("plug-in", "of plug-ins")),
            (
                "/unsafe/300x200/smart/photo.jpg",
                "/unsafe/fit-in/300x200/filters:fill(ff8800):quality(80)/images.example.com/photo.jpg",
                "/unsafe/-300x-200/left/top/photo.jpg",
                "/unsafe/10x20:300x200/filters:grayscale():format(avif)/photo.jpg",
            ),
        ),
    ),
    Dialect(
        "dit",
        "/dit",
        has_query=True,
        host_parameter="DitDomainName",
        documentation=Documentation(
            "AWS Dynamic Image Transformation",
            "HMAC-SHA256",
            (
                ("", "edits"),
                ("request", "fields of a request"),
                ("path", "parts of a path"),
                ("filters", "filters"),
                ("query", "query parameters of version 7"),
                ("query 8", "more of version 8"),
            ),
            (
                "/fit-in/300x200/filters:quality(80)/photo.jpg",
                "/300x200/filters:grayscale():format(avif)/photo.jpg",
                "/photo.jpg?width=300&height=200&fit=inside&format=avif",
                "/photo.jpg?resize.width=300&resize.height=200&quality=70&format=jpeg",
                "/eyJrZXkiOiJwaG90by5qcGciLCJlZGl0cyI6eyJyZXNpemUiOnsid2lkdGgiOjMwMH0sInJvdGF0ZSI6OTB9fQ==",
            ),
        ),
    ),
    Dialect(
        "cloudflare",
        "/cdn-cgi/image",
        "/cdn-cgi/image*/*",
        keeps_prefix=True,
        signed=False,
        further_prefixes=("/cdn-cgi/imagedelivery",),
        documentation=Documentation(
            "Cloudflare Images",
            "none",
            (("", "options of URLs"), ("AI", "of AI"), ("Workers", "of Workers")),
            (
                "/cdn-cgi/image/width=800,format=auto/photo.jpg",
                "/cdn-cgi/image/width=300,height=200,fit=cover,gravity=auto/https://images.example.com/photo.jpg",
                "/cdn-cgi/image/w=400,dpr=2,quality=high,f=avif/photo.jpg",
                "/cdn-cgi/image/trim=10;20;30;40,rotate=90,brightness=1.2/photo.jpg",
            ),
        ),
    ),
    Dialect(
        "imgix",
        "/imgix",
        has_query=True,
        signs_query=True,
        documentation=Documentation(
            "imgix",
            "MD5",
            (("", "parameters for images"),),
            (
                "/photo.jpg?w=800&fit=max&auto=format,compress",
                "/photo.jpg?w=300&h=200&fit=crop&crop=top,left&dpr=2",
                "/photo.jpg?w=400&ar=16:9&fit=crop&crop=focalpoint&fp-x=0.25&fp-y=0.5&q=60&fm=avif",
                "/https%3A%2F%2Fimages.example.com%2Fphoto.jpg?w=300&h=300&fit=fill&fill-color=f80",
            ),
        ),
    ),
    Dialect(
        "cloudinary",
        "/cloudinary",
        documentation=Documentation(
            "Cloudinary",
            "SHA-1 or SHA-256",
            (("", "parameters for images"), ("effects", "effects"), ("flags", "flags")),
            (
                "/demo/image/upload/c_fill,w_300,h_200,g_auto/f_auto,q_auto/v1712345678/photo.jpg",
                "/demo/image/upload/c_crop,x_10,y_20,w_400,h_300/c_scale,w_200/photo.jpg",
                "/demo/image/upload/c_thumb,g_face,w_150,h_150/r_max/b_white/photo.jpg",
                "/demo/image/upload/ar_16:9,c_fill/w_800,dpr_2.0/e_grayscale/photo.jpg",
            ),
        ),
    ),
    IIIF,
)
DIALECTS_BY_NAME: Mapping[str, Dialect] = {dialect.name: dialect for dialect in DIALECTS}

_ESCAPED = re.compile(r"[^A-Za-z0-9/._-]|(?<=\.)-|(?<=/)[/.]")


def encode_path(target: str) -> str:
    """Return the path under which the CDN caches ``target``, a path and query in ASCII.

    It has the characters of canonical paths and single slashes, no segment of it is ``.`` or ``..``, and no two targets
    share it: ``.-XX`` is any other character (:mod:`darkroom.image_keys`). CloudFront signs the path for the function
    URL, and the signature of other characters was not accepted (aws-samples/image-optimization, issue 44). The function
    reads the URL from a header.
    """
    path = _ESCAPED.sub(lambda match: f".-{ord(match[0]):02X}", target)
    in_version_2 = path.startswith(f"{IIIF_2_PREFIX}/")
    return IIIF.prefix + path.removeprefix(IIIF_2_PREFIX) + IIIF_2_SUFFIX if in_version_2 else path


def encode_identifier(key: str) -> str:
    """Return ``key`` as an IIIF identifier: percent-encoded like paths of native URLs, slashes included."""
    return quote_key(key).replace("/", "%2F")


def iiif_wildcard(key: str) -> str:
    """Return the wildcard that invalidates all IIIF responses of ``key``, in both versions."""
    return encode_path(f"{IIIF.prefix}/{encode_identifier(key)}/") + "*"
