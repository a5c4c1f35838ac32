"""Commands about medical images: parameters of their stack, tokens, signed URLs, UIDs."""

from __future__ import annotations

import time

import click

from cli.app import app
from cli.commands.images import iso
from cli.errors import WrongArgument
from cli.framework import Call

HOUR_S = 3600


@app.group()
def medical() -> None:
    """Deploy DICOM images, and allow viewers to read them (extensions/medical/docs/guide.md)."""


@medical.command(
    "token",
    output={"token": "the token", "expires_at": "ISO 8601"},
    examples=("darkroom medical token 2.25.1234 --expires-in 900",),
)
@click.argument("study")
@click.option("--expires-in", type=click.IntRange(1, 24 * HOUR_S), default=HOUR_S, metavar="SECONDS", help="Validity.")
def medical_token(call: Call, study: str, expires_in: int) -> None:
    """Make a token that reads STUDY, a UID of the stack, or all studies with "*"."""
    from darkroom.errors import BadToken
    from medical.access import Grant, make_token

    expires_s = int(time.time()) + expires_in
    try:
        token = make_token(Grant(expires_s, study), call.deployment.signing_key)
    except BadToken as error:
        raise WrongArgument(error.message) from error
    call.emit({"token": token, "expires_at": iso(expires_s)}, [token])


@medical.command(
    "sign",
    output={"target": "the signed path and query", "expires_at": "ISO 8601"},
    examples=(
        "darkroom medical sign '/dicomweb/studies/2.25.1/series/2.25.5/instances/2.25.6/rendered?window=40,400'",
    ),
)
@click.argument("target")
@click.option("--expires-in", type=click.IntRange(min=1), default=HOUR_S, metavar="SECONDS", help="Validity.")
def sign_medical(call: Call, target: str, expires_in: int) -> None:
    """Sign TARGET, a path below /dicomweb with its query, for a single image."""
    from darkroom.errors import DarkroomError
    from medical.access import sign_target
    from medical.requests import parse_path, parse_query

    expires_s = int(time.time()) + expires_in
    path, _, query = target.partition("?")
    try:
        parse_path(path)
        parse_query(query)
    except DarkroomError as error:
        raise WrongArgument(error.message) from error
    signed = sign_target(target, call.deployment.signing_key, expires_s)
    call.emit({"target": signed, "expires_at": iso(expires_s)}, [signed])


@medical.command(
    "uid", output={"uid": "the UID in the stack"}, examples=("darkroom medical uid 1.2.840.113619.2.55.3",)
)
@click.argument("uid")
@click.option(
    "--medical-stack", default="", metavar="NAME", help="Name of the stack of medical images (STACK-medical)."
)
def medical_uid(call: Call, uid: str, medical_stack: str) -> None:
    """Print the UID that the stack uses in place of UID, which is that of an uploaded file."""
    from cli.deployment import read_further_outputs
    from darkroom.signing import parse_secret, parse_signing_keys
    from medical.uids import replace_uid

    outputs = read_further_outputs(call.deployment, "medical", medical_stack)
    text = call.deployment.read_secret(outputs["UidKeyArn"])
    found = replace_uid(uid, parse_signing_keys(parse_secret(text))[0])
    call.emit({"uid": found}, [found])
