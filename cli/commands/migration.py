"""The command that rewrites pages of other services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..app import app
from ..errors import WrongArgument
from ..exit_codes import ExitCode
from ..framework import FILE, Call
from ..terminal import Line, Style

if TYPE_CHECKING:
    from cli.url_rewriting import Rewritten
    from darkroom_dialects.common.settings import DialectSettings


@app.command(
    output={"urls": "per URL: `file`, `url`, `becomes`, and `reason` why it stays, or empty"},
    examples=(
        "darkroom rewrite --to https://images.example.com index.html",
        "darkroom rewrite --to https://images.example.com --host img.example.com=imgix --write site/*.html",
    ),
)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--to", "base", required=True, metavar="URL", help="Address of the CDN, without a path.")
@click.option("--host", "hosts", multiple=True, metavar="HOST=DIALECT", help="A further host; may be repeated.")
@click.option("--settings", "settings_file", type=FILE, help="TOML with `[dialects…]`, as for `settings apply`.")
@click.option("--write", "is_written", is_flag=True, help="Change the files; without it they are only read.")
def rewrite(
    call: Call,
    files: tuple[Path, ...],
    base: str,
    hosts: tuple[str, ...],
    settings_file: Path | None,
    is_written: bool,
) -> int:
    """Rewrite URLs of Cloudinary, imgix and others in FILES: HTML, style sheets, lists of URLs.

    Hosts of the services are known; name your own. Each URL is parsed as at a request, and stays as it is, with the
    reason, if it would be refused. Signatures stay valid with the service's keys; no stack is called, so that neither
    access modes nor missing images are known. The exit code is 1 if a URL stays.
    """
    from cli.url_rewriting import KNOWN_HOSTS, parse_host, rewrite_text

    base = base.rstrip("/")
    if "://" not in base or "/" in base.partition("://")[2]:
        raise WrongArgument(f"--to must be an address without a path, such as https://images.example.com, not {base}")
    try:
        known = {**KNOWN_HOSTS, **dict(parse_host(one) for one in hosts)}
    except ValueError as error:
        raise WrongArgument(f"--host: {error}") from error
    settings = _read_settings(settings_file)
    found: list[tuple[Path, Rewritten]] = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        changed, urls = rewrite_text(text, base, known, settings)
        found += [(file, one) for one in urls]
        if is_written and changed != text:
            file.write_text(changed, encoding="utf-8")
    call.emit({"urls": [{"file": str(file), **asdict(one)} for file, one in found]}, _format(found, is_written))
    return ExitCode.FAILED if any(one.reason for _, one in found) else ExitCode.OK


def _read_settings(file: Path | None) -> DialectSettings:
    import tomllib

    from darkroom.settings import InvalidSettings, parse_settings
    from darkroom_dialects.settings_file import apply_settings, load_settings

    try:
        document = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
        settings = parse_settings(document)
        return apply_settings(load_settings(settings.dialects), settings)
    except InvalidSettings as error:
        raise WrongArgument(f"{file}: {'; '.join(error.problems)}") from error
    except ValueError as error:
        raise WrongArgument(f"{file}: {error}") from error


def _format(found: Sequence[tuple[Path, Rewritten]], is_written: bool) -> Iterator[str]:
    for file, one in found:
        if one.reason:
            yield Line(f"{file}: {one.url}: ", (one.reason, Style.PROBLEM))
        else:
            yield f"{file}: {one.url} -> {one.becomes}"
    stay = sum(bool(one.reason) for _, one in found)
    done = "rewritten" if is_written else "can be rewritten; --write does so"
    yield f"{len(found) - stay} of {len(found)} URLs {done}"
