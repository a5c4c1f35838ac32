"""Commands about GPU textures: parameters of their stack, and signed URLs."""

from __future__ import annotations

import time

import click

from cli.app import app
from cli.commands.images import iso
from cli.errors import WrongArgument
from cli.framework import Call


@app.group()
def textures() -> None:
    """Deploy and sign KTX2 textures (extensions/textures/docs/guide.md)."""


@textures.command(
    "sign",
    output={"url": "the signed URL", "expires_at": "ISO 8601, or null"},
    examples=("darkroom textures sign wood.jpg 'w=1024&codec=uastc'",),
)
@click.argument("key")
@click.argument("query")
@click.option("--expires-in", type=click.IntRange(min=1), metavar="SECONDS", help="Validity; unlimited by default.")
def sign_texture(call: Call, key: str, query: str, expires_in: int | None) -> None:
    """Sign the texture of the image KEY with the options of QUERY, such as "w=1024&codec=uastc"."""
    from darkroom.errors import DarkroomError
    from textures.urls import sign_url

    deployment = call.deployment
    expires_s = None if expires_in is None else int(time.time()) + expires_in
    try:
        target = sign_url(key, query, deployment.signing_key, expires_s)
    except DarkroomError as error:
        raise WrongArgument(error.message) from error
    url = deployment.cdn_url + target
    call.emit({"url": url, "expires_at": iso(expires_s)}, [url])
