"""Check responses to viewers through CloudFront's edge function, its cache, S3 and the Function URL."""

from __future__ import annotations

from ..failures import CheckSkipped, require
from ..model import Check
from ..world import Answer, World

UNSIGNED_PX, SIGNED_PX = 320, 333
"""A width that needs no signature in the access mode guarded, and one that does."""

HIT_WITHIN_S = 60.0
"""The next request may come to another server of the same edge location."""


def _require_image(answer: Answer, kind: str = "image/") -> str:
    found = answer.headers.get("content-type", "")
    require(answer.status == 200, f"the answer is {answer.status}: {answer.body[:200]!r}")
    require(found.startswith(kind), f"the answer is of the type {found}")
    return f"{found}, {len(answer.body):,} bytes"


def serve_unsigned(world: World) -> str:
    """Get a width of the finite set."""
    if world.access_mode == "signed":
        raise CheckSkipped("access_mode is signed")
    return _require_image(world.get(f"{world.path(world.image)}?w={UNSIGNED_PX}"))


def serve_signed(world: World) -> str:
    """Get a width that needs a signature."""
    return _require_image(world.get(world.signed(f"{world.path(world.image)}?w={SIGNED_PX}")))


def refuse_without_signature(world: World) -> str:
    """Request a signed width without a signature, and with one of another URL."""
    if world.access_mode == "open":
        raise CheckSkipped("access_mode is open")
    path = world.path(world.image)
    bare = world.get(f"{path}?w={SIGNED_PX + 1}")
    require(bare.status == 403, f"without a signature the answer is {bare.status}")
    forged = world.get(world.signed(f"{path}?w={SIGNED_PX}").replace(f"w={SIGNED_PX}", f"w={SIGNED_PX + 1}"))
    require(forged.status == 403, f"with a signature of another URL the answer is {forged.status}")
    return "403, 403"


def cache(world: World) -> str:
    """Request an image until it is served from the cache."""
    target = world.signed(f"{world.path(world.image)}?w={SIGNED_PX}")

    def hit() -> Answer | None:
        answer = world.get(target)
        return answer if answer.headers.get("x-cache", "").lower().startswith(("hit", "refreshhit")) else None

    answer = world.wait(hit, "no answer comes from the cache", HIT_WITHIN_S)
    return answer.headers["x-cache"]


def send_headers(world: World) -> str:
    """Read the headers of an image, and request it again with its entity tag."""
    target = world.signed(f"{world.path(world.image)}?w={SIGNED_PX}")
    answer = world.get(target)
    _require_image(answer)
    missing = [name for name in ("cache-control", "etag", "x-content-type-options") if name not in answer.headers]
    require(not missing, f"the answer has no {', '.join(missing)}")
    again = world.get(target, if_none_match=answer.headers["etag"])
    require(again.status == 304, f"the answer to If-None-Match is {again.status}")
    return f"{answer.headers['cache-control']}; 304"


def negotiate(world: World) -> str:
    """Request the same URL as three browsers."""
    target = world.signed(f"{world.path(world.image)}?w={SIGNED_PX}")
    accepts = ("image/avif,image/webp,*/*", "image/webp,*/*", "*/*")
    found = [world.get(target, accept=accept).headers.get("content-type", "none") for accept in accepts]
    require(len(set(found)) == len(accepts), f"the types are {', '.join(found)}")
    return ", ".join(found)


def answer_missing(world: World) -> str:
    """Request an image that does not exist."""
    answer = world.get(world.signed(f"{world.path(world.folder + 'missing.png')}?w={SIGNED_PX}"))
    require(answer.status == 404, f"the answer is {answer.status}: {answer.body[:200]!r}")
    return answer.headers.get("content-type", "")


def serve_large(world: World) -> str:
    """Request a PNG of noise, which is larger than a function's response may be."""
    target = world.signed(f"{world.path(world.noise)}?f=png")
    answer = world.get(target)
    redirected = answer.status in (302, 307)
    if redirected:
        location = answer.headers["location"]
        answer = world.request("GET", location) if location.startswith("http") else world.get(location)
    seen = _require_image(answer, "image/png")
    require(len(answer.body) > 4_500_000, f"the image has only {len(answer.body):,} bytes")
    return f"{seen}, {'by a redirect' if redirected else 'at once'}"


CHECKS = (
    Check(
        "unsigned",
        "the edge function, origin access control for S3 and the Function URL, and both resource policies work",
        "x-cache and the body of the answer; origin access control of the distribution; logs of transform",
        serve_unsigned,
    ),
    Check(
        "signed",
        "the edge function and transform verify signatures with the secret's key",
        "the secret SigningKeysArn, and the origins of the distribution",
        serve_signed,
    ),
    Check(
        "refusal",
        "URLs without a valid signature are refused",
        "access_mode of the settings, and the edge function's log in us-east-1",
        refuse_without_signature,
    ),
    Check("cache-hit", "CloudFront caches images", "cache-control and vary of the answer; the cache policy", cache),
    Check("headers", "browsers may cache images and revalidate them", "the response headers policy", send_headers),
    Check(
        "formats", "the cache key has one entry for each format", "the edge function and the cache policy", negotiate
    ),
    Check(
        "missing",
        "S3's 403 for a missing object, which the origin group takes for a failure, becomes a 404",
        "s3:ListBucket of the roles, and the origin group's status codes",
        answer_missing,
    ),
    Check(
        "large-answer",
        "an image over 4.5 MB is stored first and served by S3",
        "logs of transform, and the Function URL's limit of 6 MB",
        serve_large,
    ),
)
