"""Commands about images: upload them, sign and explain their URLs, encode their keys."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from ..app import app
from ..errors import CommandError, NotFound, WrongArgument
from ..exit_codes import ExitCode
from ..framework import FILE, Call
from ..progress import progress
from ..terminal import Line, Style
from .functions import Since, find_log_group, read_logs

if TYPE_CHECKING:
    from cli.ingest_report.outcomes import Stack, UploadOutcome

DEFAULT_TOKEN_S = 900


def iso(time_s: float | None) -> str | None:
    """Format a Unix time as ISO 8601, in UTC."""
    return None if time_s is None else datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")


@app.command(
    output={
        "uploads": "per file: `key`, `file`, `outcome` (`ready`, `held`, `lost` or an error code), `url`, `seconds`, "
        "`presets`, `error` (what is wrong with it, or empty)",
        "dead_letters": "ingest messages that failed for good meanwhile",
    },
    examples=(
        "darkroom upload photo.jpg",
        "darkroom upload photos --prefix trips/ --page uploads.html --stack shop",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--key", metavar="KEY", help="Key of a single file; by default its name.")
@click.option("--prefix", default="", metavar="PREFIX", help="Put before each key.")
@click.option("--no-wait", is_flag=True, help="Return without waiting for ingest.")
@click.option("--timeout", "timeout_s", type=float, default=600.0, show_default=True, metavar="SECONDS")
@click.option(
    "--expect", type=FILE, metavar="FILE", help="TOML or JSON: the expected outcome of every file, by its name."
)
@click.option(
    "--page", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a contact sheet (HTML)."
)
def upload(
    call: Call,
    paths: tuple[Path, ...],
    key: str | None,
    prefix: str,
    no_wait: bool,
    timeout_s: float,
    expect: Path | None,
    page: Path | None,
) -> int:
    """Upload files and folders, and report the outcome of each.

    Waits until ingest has published, held or refused each file, and compares the index with the buckets. The exit code
    is 1 if a file was refused, is lost, or is not as --expect names it. The page of --page shows each file with its
    state and its presets, whose images are those of the CDN.
    """
    from cli.ingest_report.outcomes import Stack, complaints, list_files
    from cli.ingest_report.table import format_table, totals

    files = list_files(paths, key)
    if key is not None and len(files) != 1:
        raise WrongArgument("--key is for a single file.")
    if page is not None and no_wait:
        raise WrongArgument("--page needs the outcomes: leave --no-wait away.")
    expected = _read_expected(expect) if expect else None
    stack = Stack.of(call.deployment)
    dead_before = stack.dead_letters()
    with progress() as bars:
        sent = list(bars.track(stack.send(files, prefix), total=len(files), description="upload"))
    if no_wait:
        rows = [_row(call.deployment.cdn_url, one.name, one.key, "sent") for one in sent]
        call.emit({"uploads": rows, "dead_letters": 0}, (f"{row['key']}  {row['url']}" for row in rows))
        return ExitCode.OK
    with progress() as bars:
        fates = list(bars.track(stack.follow(sent, timeout_s), total=len(sent), description="ingest"))
    dead = max(0, stack.dead_letters() - dead_before)
    wrong = complaints(fates, expected)
    rows = [_described(call.deployment.cdn_url, fate, wrong) for fate in fates]
    lines = [*format_table(fates, wrong), "", totals(fates)]
    failures = [f"{name}: {complaint}" for name, complaint in wrong.items()]
    call.emit({"uploads": rows, "dead_letters": dead}, lines)
    if page is not None:
        _write_page(call, page, stack, fates, wrong)
    for failure in failures:
        call.note(Line((failure, Style.PROBLEM)))
    if dead:
        listing = "`darkroom redrive ingest --dry-run`, for the same stack"
        call.note(f"{dead} more dead letters of ingest than before: {listing}, lists them")
    return ExitCode.FAILED if failures else ExitCode.OK


def _write_page(call: Call, page: Path, stack: Stack, fates: Sequence[UploadOutcome], wrong: Mapping[str, str]) -> None:
    from cli.ingest_report.page import Links, format_page

    deployment = call.deployment
    links = Links(deployment.cdn_url, stack.settings, lambda: deployment.signing_key, time.time())
    page.write_text(format_page(fates, wrong, links), encoding="utf-8")
    call.note(f"Wrote {page}")


def _described(cdn_url: str, fate: UploadOutcome, wrong: Mapping[str, str]) -> dict[str, Any]:
    row = _row(cdn_url, fate.sent.name, fate.sent.key, fate.outcome)
    return row | {"seconds": round(fate.took_s, 2), "presets": fate.presets, "error": wrong.get(fate.sent.name, "")}


def _row(cdn_url: str, name: str, key: str, outcome: str) -> dict[str, Any]:
    url = f"{cdn_url}/{quote(key, safe='/')}"
    return {"key": key, "file": name, "outcome": outcome, "url": url, "seconds": 0.0, "presets": 0, "error": ""}


def _read_expected(path: Path) -> dict[str, str]:
    import json
    import tomllib

    read = json.loads if path.suffix == ".json" else tomllib.loads
    return {str(name): str(outcome) for name, outcome in read(path.read_text(encoding="utf-8")).items()}


@app.command(
    output={"url": "the signed URL, without a host with --key-file", "expires_at": "ISO 8601, or null"},
    examples=(
        "darkroom sign '/photo.jpg?w=801'",
        "darkroom sign /300x200/photo.jpg --dialect thumbor",
    ),
)
@click.argument("target")
@click.option("--key-file", type=FILE, help="File with the signing key, instead of the stack's; AWS is not called.")
@click.option(
    "--dialect",
    metavar="NAME",
    help="Sign a URL of imgproxy, thumbor, dit, imgix or cloudinary, such as '/300x200/photo.jpg'.",
)
@click.option("--expires-in", type=click.IntRange(min=1), metavar="SECONDS", help="Validity; unlimited by default.")
def sign(call: Call, target: str, key_file: Path | None, dialect: str | None, expires_in: int | None) -> None:
    """Print a signed URL for TARGET, a path with a query such as '/photo.jpg?w=801'."""
    from darkroom.errors import DarkroomError
    from darkroom.overlays.plugin import OVERLAYS
    from darkroom.plan.option_plugins import register_plugin
    from darkroom.plan.url_builder import sign_target

    register_plugin(OVERLAYS)
    expires_s = None if expires_in is None else int(time.time()) + expires_in
    if dialect and (key_file or expires_in is not None):
        raise WrongArgument("--key-file and --expires-in are for URLs of Darkroom's own.")
    cdn_url = "" if key_file else call.deployment.cdn_url
    try:
        if dialect:
            path = _sign_dialect(dialect, target, call.deployment.secret("LanguageKeysArn"))
        else:
            key = key_file.read_text(encoding="utf-8").rstrip("\r\n") if key_file else call.deployment.signing_key
            path = sign_target(target, key, expires_s)
    except (DarkroomError, ValueError) as error:
        if isinstance(error, DarkroomError) and error.status >= 500:
            raise
        raise WrongArgument(error.message if isinstance(error, DarkroomError) else str(error)) from error
    call.emit({"url": cdn_url + path, "expires_at": iso(expires_s)}, [cdn_url + path])


@app.command(
    in_development=True,
    output={
        "target": "path and query as a browser sends them",
        "refusal": "problem details with which the request, or the first of `variants`, is refused, or null",
        "experiment": "only for the name of an experiment, without the fields below: `name`, `visitor` and `variants`, "
        "each with `preset`, `target`, `is_stopped` and `refusal`",
        "variants": "per format, for a pixel ratio of 1: `name`, `is_stored`, `refusal`, and `fallback`, the key of "
        "the image that is shown instead, or empty",
        "key": "key of the image",
        "options": "per option: `option`, `value` (canonical), `preset` that it is from, and `has_effect`",
        "canonical_request": "normal form, which names the derivatives",
        "policy": "`access_mode`, `needs_signature`, `presets`, `is_preset`, `forced_redaction`, "
        "`forced_watermark`, `needs_findings`, `inference`, `metadata`, `stores_derivatives` and `load_shedding`",
        "signature": "`kind` (`none`, `literal`, `canonical` or `wrong`), `key` (`current` or `previous`), "
        "`expires_at`, `is_expired`, `literal_text` and `canonical_text`",
        "derivatives": "per stored derivative of the request: `name`, `content_type`, `bytes`, `modified_at`, "
        "`is_of_master` and `effort`",
        "refused_variants": "refusals that are recorded, of the `source` or by variant",
        "refusals_apply": "whether they are of this master and of the limits in force",
        "mezzanines": "longer sides in px",
        "source": "where the master belongs: `key_prefix` in the setting `sources`, or empty; `uri`; `error`, why an "
        "origin could not be read from this machine, or empty",
        "dialect": "name of the service whose URL it is; `policy`, `signature` and `options` are those of our own",
        "max_age_s": "how long browsers and the CDN keep a response to a URL of another service",
        "image": "what is made of it: `of`, the facts of the image, or null if ingest has not examined it; `size` with "
        "`why`; `formats`, per class of browsers, with `why`, `if_drawing`, `still_because`, `quality` and "
        "`quality_by`; `crop`, what a cover keeps and who chose it, or null; `error` of a crop outside of the image",
        "findings": "numbers of `faces`, `lines` of text and `objects`, `is_analysed` and `errors` by task, or null if "
        "the request needs none",
        "caching": "`cache_control` that viewers receive, `kept_by`, which caches if the link ends or the image is "
        "private, `browser_max_age_s`, `cached_error` that the CDN may still return, with `until`, and "
        "`purges`: `waiting`, `invalidations` in progress for the key, and the `error` of reading them",
        "master": "`uri`, `etag`, `content_type`, `bytes`, `modified_at`, `version_id` and `rights`, or null",
        "index": "`state`, `updated_at`, `image_id`, `how`, `refusal`, `refusal_code`, `trace_id`, `awaits_review` and "
        "`notice`, why the newest upload is not served, or null",
        "answers": "per answer of the transform function: `at`, `path`, `status`, `code`, `ms`, `stages_ms`, "
        "`correlation_id` and `xray_trace_id`",
    },
    examples=(
        "darkroom explain '/photo.jpg?w=801'",
        "darkroom explain 'https://cdn.example/photo.jpg?preset=cover' --since 1d",
    ),
)
@click.argument("url")
@click.option(
    "--since",
    type=Since(),
    default="1h",
    show_default=True,
    metavar="TIME",
    help="Answers since: 15m, 2h, 1d, ISO 8601.",
)
def explain(call: Call, url: str, since: float) -> int:
    """Explain URL: an address, or a path with a query such as '/photo.jpg?w=801'.

    Prints how it is parsed, its normal form, whether it needs a signature and which text the signature covers; size,
    format, quality and crop of the image and which rule decides them; what is stored, the master, the upload, caches
    and purges in progress, and the last answers with their traces. The result is that of the code of the transform
    function, for each format. URLs of imgproxy, thumbor, DIT, Cloudflare, imgix and Cloudinary are explained too.
    Nothing is rendered, so damage that no request has found yet is not known. A master at an HTTPS origin is requested
    from this machine. The exit code is 1 if a format is refused.
    """
    from cli.explain.dialects import UnexplainedDialect
    from cli.explain.document import explain as explain_url
    from cli.explain.document import target_of
    from cli.explain.source import Source
    from cli.explain.text import format_lines
    from darkroom.settings import InvalidSettings
    from darkroom.signing import InvalidSecret

    try:
        source = Source.read(call.deployment, partial(_read_answers, call, since), time.time())
        document = explain_url(target_of(url), source)
    except UnexplainedDialect as error:
        raise WrongArgument(str(error)) from error
    except (InvalidSettings, InvalidSecret) as error:
        raise CommandError(f"The deployment's settings or signing keys are invalid: {error}") from error
    call.emit(document, format_lines(document))
    return ExitCode.FAILED if document["refusal"] else ExitCode.OK


def _read_answers(call: Call, since_s: float, text: str) -> Iterator[Any]:
    """Read log events of the transform function with ``text``; none if there is no function, or no log of it yet."""
    try:
        yield from read_logs(call.deployment.client("logs"), find_log_group(call, "transform"), since_s, f'"{text}"')
    except NotFound:
        return


def _sign_dialect(dialect: str, target: str, secret: Mapping[str, object]) -> str:
    from cli.dialect_signing import sign_in_dialect
    from darkroom_dialects.serving.signing_keys import parse_keys

    return sign_in_dialect(dialect, target, parse_keys(secret))


@app.command(
    output={"token": "the upload token", "expires_at": "ISO 8601", "upload_url": "address of the upload API"},
    examples=("darkroom token --prefix trips/ --max-files 20 --expires-in 3600",),
)
@click.option("--prefix", required=True, help="What it is valid for: 'trips/' and all below, or the key of one file.")
@click.option("--expires-in", type=click.IntRange(min=1), default=DEFAULT_TOKEN_S, show_default=True, metavar="SECONDS")
@click.option("--max-bytes", type=click.IntRange(min=1), metavar="BYTES", help="Largest file.")
@click.option("--max-files", type=click.IntRange(min=1), metavar="FILES", help="Number of files.")
@click.option("--priority", type=click.Choice(["urgent"]), help="Uploads overtake a backlog of others.")
def token(
    call: Call, prefix: str, expires_in: int, max_bytes: int | None, max_files: int | None, priority: str | None
) -> None:
    """Print an upload token."""
    from darkroom.errors import DarkroomError
    from darkroom.services.upload_requests import Grant, make_token

    expires_s = int(time.time()) + expires_in
    try:
        text = make_token(Grant(prefix, expires_s, max_bytes, max_files, priority or ""), call.deployment.signing_key)
    except DarkroomError as error:
        raise WrongArgument(error.message) from error
    document = {"token": text, "expires_at": iso(expires_s), "upload_url": call.deployment.upload_url}
    call.emit(document, [text])


@app.group()
def keys() -> None:
    """Encode keys of images as names of objects, and decode them.

    A master that is copied into the media bucket by hand needs its key encoded: masters/.-C3A9.jpg for é.jpg.
    """


@keys.command(output={"names": "the encoded keys"}, on_stack=False, examples=("darkroom keys encode trips/é.jpg",))
@click.argument("words", nargs=-1, metavar="[KEY]...")
def encode(call: Call, words: tuple[str, ...]) -> None:
    """Encode keys; without any, the lines of standard input."""
    from darkroom.image_keys import check_key, encode_key

    _convert(call, words, "names", lambda word: encode_key(check_key(word)))


@keys.command(output={"keys": "the decoded keys"}, on_stack=False, examples=("darkroom keys decode trips/.-C3A9.jpg",))
@click.argument("words", nargs=-1, metavar="[NAME]...")
def decode(call: Call, words: tuple[str, ...]) -> None:
    """Decode names of objects; without any, the lines of standard input."""
    from darkroom.image_keys import decode_key

    _convert(call, words, "keys", decode_key)


def _convert(call: Call, words: tuple[str, ...], name: str, convert: Any) -> None:
    from darkroom.errors import BadKey

    written, failed = [], []
    for word in words or (line.rstrip("\n") for line in sys.stdin):
        try:
            written.append(convert(word))
        except BadKey as error:
            failed.append(f"{word}: {error.message}")
    call.emit({name: written}, written)
    if failed:
        raise WrongArgument("; ".join(failed))
