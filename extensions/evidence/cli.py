"""Commands about authenticity: parameters of the stack, tokens for reports, legal holds, and exports of evidence."""

from __future__ import annotations

import time
from pathlib import Path

import click

from cli.app import app
from cli.commands.images import iso
from cli.errors import NotFound, WrongArgument
from cli.framework import FILE, Call
from cli.terminal import Table

_STACK = click.option(
    "--evidence-stack", default="", metavar="NAME", help="Name of the stack of evidence (STACK-evidence)."
)


@app.group()
def evidence() -> None:
    """Report evidence about images and keep their chain of custody (extensions/evidence/docs/guide.md)."""


@evidence.command(
    "token",
    output={"token": "the token", "expires_at": "ISO 8601", "url": "the page of one image"},
    examples=("darkroom evidence token trips/ --person anna@example.com",),
)
@click.argument("prefix")
@click.option("--person", required=True, metavar="NAME", help="Name or address of the person, for the records.")
@click.option(
    "--expires-in",
    type=click.IntRange(60, 86_400),
    default=3_600,
    show_default=True,
    metavar="SECONDS",
    help="Validity.",
)
def make_evidence_token(call: Call, prefix: str, person: str, expires_in: int) -> None:
    """Make a token for reports of the images below PREFIX, such as trips/, or of one image.

    For one image it also prints the address of its page. The token is in the fragment, which browsers do not send.
    """
    from darkroom.errors import DarkroomError
    from darkroom.image_keys import quote_key
    from evidence.tokens import EvidenceGrant, make_token

    deployment = call.deployment
    expires_s = int(time.time()) + expires_in
    try:
        token = make_token(EvidenceGrant(prefix, expires_s, person), deployment.signing_key)
    except DarkroomError as error:
        raise WrongArgument(error.message) from error
    is_image = not prefix.endswith("/")
    url = f"{deployment.upload_url}/_evidence/{quote_key(prefix)}?f=evidence#{token}" if is_image else None
    call.emit({"token": token, "expires_at": iso(expires_s), "url": url}, filter(None, (token, url)))


@evidence.command(
    "hold",
    output={"key": "the image", "held": "whether a hold is set", "copies": "number of copies"},
    examples=("darkroom evidence hold trips/rome.jpg on --reason 'case 42'",),
)
@click.argument("key")
@click.argument("state", type=click.Choice(("on", "off")))
@click.option("--reason", required=True, metavar="TEXT", help="Reason, for the records.")
@_STACK
def hold(call: Call, key: str, state: str, reason: str, evidence_stack: str) -> None:
    """Set (on) or remove (off) the legal hold of all locked copies and records of KEY.

    A held copy cannot be deleted by anyone, whatever its age. Later uploads and records of KEY are held, too.
    """
    from extensions.evidence.custody_stack import read_stack, set_hold

    stack = read_stack(call.deployment, evidence_stack)
    if not stack.custody.list_originals(key):
        raise NotFound(f"There is no locked copy of {key}. Nothing was changed.")
    is_on = state == "on"
    copies = set_hold(stack, key, reason, is_on=is_on)
    text = "held" if is_on else "no longer held"
    call.emit({"key": key, "held": is_on, "copies": copies}, [f"{key}: {copies} copies are {text}."])


@evidence.command(
    "records",
    output={"records": "the records in order, as JSON objects"},
    examples=("darkroom evidence records trips/rome.jpg",),
)
@click.argument("key")
@_STACK
def list_records(call: Call, key: str, evidence_stack: str) -> None:
    """Print the records of custody of KEY: uploads, reads, holds and exports."""
    from extensions.evidence.custody_stack import read_stack

    records = [dict(one.document) for one in read_stack(call.deployment, evidence_stack).custody.read(key)]
    lines = [f"{one['number']:>4}  {one['at']}  {one['kind']:<9} {one['by']}" for one in records]
    rows = [(str(one["number"]), str(one["at"]), str(one["kind"]), str(one["by"])) for one in records]
    call.emit({"records": records}, [Table(("record", "at", "kind", "by"), rows, lines)])


@evidence.command(
    "export",
    output={"file": "the zip", "bytes": "its size", "key_sha256": "SHA-256 of the signing key"},
    examples=("darkroom evidence export trips/rome.jpg --to rome.zip --reason 'request of the court'",),
)
@click.argument("key")
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The zip to write."
)
@click.option("--reason", default="", metavar="TEXT", help="Reason, for the records.")
@_STACK
def export_evidence(call: Call, key: str, target: Path, reason: str, evidence_stack: str) -> None:
    """Export the upload of KEY, its report and its records into a zip that verify_evidence.py verifies offline."""
    from extensions.evidence.custody_stack import export, read_stack

    stack = read_stack(call.deployment, evidence_stack)
    body, fingerprint = export(stack, key, reason)
    target.write_bytes(body)
    lines = [f"{target}: {len(body):,} bytes", f"Signed by the key with the SHA-256 {fingerprint}"]
    call.emit({"file": str(target), "bytes": len(body), "key_sha256": fingerprint}, lines)


@evidence.command(
    "verify",
    on_stack=False,
    output={"lines": "what was verified"},
    examples=('darkroom evidence verify rome.zip --key "$(cat signing-key.sha256)"',),
)
@click.argument("file", type=FILE)
@click.option("--key", "key_sha256", default="", metavar="SHA256", help="SHA-256 of the operator's public key.")
def verify_export(call: Call, file: Path, key_sha256: str) -> int:
    """Verify an export, as verify_evidence.py does.

    The exit code is 1 if it is not what it claims to be, 10 if the signing key was not compared (--key), and 11 if no
    record says that the upload was received.
    """
    import zipfile

    from evidence.verify_evidence import NotVerified, verify

    try:
        found = verify(file, key_sha256)
    except (NotVerified, OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile) as reason:
        call.note(f"Not verified: {reason}")
        return 1
    call.emit({"lines": found.lines}, found.lines)
    return found.exit_code
