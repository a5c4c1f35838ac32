"""Check the stack on AWS, as its users use it, and say when to do so (`./darkroom smoke`)."""

from __future__ import annotations

from cli.smoke.failures import require
from cli.smoke.further import find_further
from cli.smoke.model import Check
from cli.smoke.plan import Step
from cli.smoke.world import World

KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n"
"""The identifier at the beginning of a file (KTX 2.0 specification, section 3.1)."""


def make_texture(world: World) -> str:
    """Get a texture of an image by its signed URL."""
    from textures.urls import sign_url

    find_further(world, "textures")
    answer = world.get(sign_url(world.image, "w=64", world.signing_key))
    require(answer.status == 200, f"the answer is {answer.status}: {answer.body[:200]!r}")
    require(answer.body.startswith(KTX2), f"the texture begins with {answer.body[:12]!r}")
    return f"{answer.headers.get('content-type')}, {len(answer.body):,} bytes"


CHECK = Check(
    "texture",
    "the encoder of textures runs in Lambda, behind the route of the HTTP API",
    "the log of the textures function",
    make_texture,
)

STEP = Step(
    "Textures",
    10,
    "the encoder on arm64, and the route of the HTTP API with the path of the distribution",
    ("the commands of extensions/textures/docs/guide.md, section Deploy",),
    "CREATE_COMPLETE of {stack}-textures",
    {"texture": "image/ktx2, and its bytes"},
)
