"""The command line: ``python -m local up | stop | sign | token | forget | release | redrive | findings | invoke |
events``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .errors import StartError
from .paths import AWS_PORT, CDN_PORT, ROOT, Ports, StackPaths

sys.path.insert(0, str(ROOT / "layers" / "darkroom"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. ``arguments`` are those of the process by default."""
    chosen = _parser().parse_args(arguments)
    try:
        return _COMMANDS[chosen.command](chosen)
    except StartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Darkroom on this machine, without AWS.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the stack; Ctrl-C ends it")
    up.add_argument("--port", type=int, default=CDN_PORT, help=f"port of the CDN and the start page ({CDN_PORT})")
    up.add_argument("--aws-port", type=int, default=AWS_PORT, help=f"port of MiniStack, the AWS emulator ({AWS_PORT})")
    up.add_argument("--detach", action="store_true", help="return when it is ready; `stop` ends it")
    up.add_argument("--no-watch", action="store_true", help="do not deploy changed sources while it runs")
    up.add_argument("--no-inference", action="store_true", help="leave out the endpoint: no picture is looked at")
    up.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="deploy with this parameter of the template, or setting (in lower case); may be repeated",
    )
    stop = commands.add_parser("stop", help="end a stack, detached or not")
    sign = commands.add_parser("sign", help="print a signed URL")
    sign.add_argument("target", help="path and query, as in '/photo.jpg?w=801'")
    sign.add_argument(
        "--language", metavar="NAME", help="sign a URL of imgproxy, thumbor or dit, as '/300x200/photo.jpg'"
    )
    sign.add_argument("--expires-in", type=int, metavar="SECONDS", help="how long it is valid; for ever if not given")
    token = commands.add_parser("token", help="print an upload token")
    token.add_argument("--prefix", required=True, help="what it is for: 'trips/' and all below, or the key of one file")
    token.add_argument("--expires-in", type=int, default=900, metavar="SECONDS", help="how long it is valid (900)")
    token.add_argument("--max-bytes", type=int, metavar="BYTES", help="largest file it is good for")
    token.add_argument("--max-files", type=int, metavar="FILES", help="how many files it is good for")
    forget = commands.add_parser("forget", help="remove every trace of a picture, and tell what was removed")
    forget.add_argument("key", help="the key it was uploaded under")
    forget.add_argument("--check", action="store_true", help="only print the state of its last erasure")
    release = commands.add_parser("release", help="serve a picture that moderation holds, whatever models say of it")
    release.add_argument("key", help="the key it was uploaded under")
    redrive = commands.add_parser("redrive", help="send dead letters back to their queues, each with its cause")
    redrive.add_argument("--dry-run", action="store_true", help="only show them")
    findings = commands.add_parser("findings", help="print which generation of findings pictures are made with")
    findings.add_argument("--activate", metavar="GENERATION", help="make it this one; nothing is deleted")
    invoke = commands.add_parser(
        "invoke",
        help="call a function's handler in this process, for a debugger",
        description="Call a function's handler in this process against the running stack. "
        "Its result is printed as JSON, its logs go to standard error.",
        epilog="Exit status: 0 the handler returned, 1 it raised (with its traceback), "
        "2 it was not called: wrong arguments, unknown function, unreadable event, no stack.",
    )
    invoke.add_argument("name", metavar="NAME", help="logical id in template.yaml, or folder in functions/")
    invoke.add_argument("event", metavar="EVENT", help="path of a JSON event, as in events/; - is standard input")
    invoke.add_argument("--deadline", action="store_true", help="count the remaining time down from the timeout")
    events = commands.add_parser(
        "events",
        help="write events for upload, similar and scene that succeed on the running stack, and print their paths",
    )
    for command in (up, stop, sign, token, forget, release, redrive, findings, invoke, events):
        command.add_argument("--state-dir", type=Path, default=ROOT / ".local", help="where its data is (.local)")
    return parser


def _up(chosen: argparse.Namespace) -> int:
    place = StackPaths(chosen.state_dir.resolve())
    if chosen.detach:
        from .background_start import up_detached

        options = ["--port", str(chosen.port), "--aws-port", str(chosen.aws_port), "--state-dir", str(place.state)]
        options += ["--no-watch"] * chosen.no_watch + ["--no-inference"] * chosen.no_inference
        up_detached(place, options + [word for pair in chosen.parameter for word in ("--parameter", pair)])
        return 0
    from .stack import up

    ports = Ports(chosen.port, chosen.aws_port)
    watching, inference = not chosen.no_watch, not chosen.no_inference
    up(place, ports, watching=watching, inference=inference, overrides=chosen.parameter)
    return 0


def _stop(chosen: argparse.Namespace) -> int:
    from .pidfile import stop

    print("Stopped" if stop(StackPaths(chosen.state_dir.resolve())) else "No stack runs here")
    return 0


def _sign(chosen: argparse.Namespace) -> int:
    from darkroom.errors import DarkroomError

    from .sign_urls import sign_target
    from .stack_info import read_stack_info

    facts = read_stack_info(StackPaths(chosen.state_dir.resolve()))
    if chosen.language:
        return _sign_in(facts["cdn_url"], chosen.language, chosen.target)
    expires_s = None if chosen.expires_in is None else int(time.time()) + chosen.expires_in
    try:
        print(facts["cdn_url"] + sign_target(chosen.target, facts["signing_key"], expires_s))
    except DarkroomError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0


def _sign_in(cdn_url: str, language: str, target: str) -> int:
    from darkroom.dialects.serving.signing_keys import read_keys

    from .dialect_keys import DOCUMENT, sign_in_dialect

    try:
        print(cdn_url + sign_in_dialect(language, target, read_keys(DOCUMENT)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _events(chosen: argparse.Namespace) -> int:
    from .generated_events import write_events
    from .stack_info import read_stack_info

    place = StackPaths(chosen.state_dir.resolve())
    for path in write_events(read_stack_info(place), place.state / "events"):
        print(path)
    return 0


def _token(chosen: argparse.Namespace) -> int:
    from darkroom.errors import DarkroomError
    from darkroom.services.upload_requests import Grant, make_token

    from .stack_info import read_stack_info

    facts = read_stack_info(StackPaths(chosen.state_dir.resolve()))
    grant = Grant(chosen.prefix, int(time.time()) + chosen.expires_in, chosen.max_bytes, chosen.max_files)
    try:
        print(make_token(grant, facts["signing_key"]))
    except DarkroomError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0


def _forget(chosen: argparse.Namespace) -> int:
    from .forget import forget, lines
    from .stack_info import read_stack_info

    report = forget(read_stack_info(StackPaths(chosen.state_dir.resolve())), chosen.key, check=chosen.check)
    print("\n".join(lines(report)))
    expected = ("complete",) if chosen.check else ("complete", "pending_invalidation")
    return 0 if report["status"] in expected else 1


def _release(chosen: argparse.Namespace) -> int:
    from .release import release
    from .stack_info import read_stack_info

    sha256 = release(read_stack_info(StackPaths(chosen.state_dir.resolve())), chosen.key)
    print(f"{chosen.key}, uploaded with the SHA-256 {sha256}, is being released")
    return 0


def _redrive(chosen: argparse.Namespace) -> int:
    from .redrive import redrive_all
    from .stack_info import read_stack_info

    redrive_all(read_stack_info(StackPaths(chosen.state_dir.resolve())), dry_run=chosen.dry_run)
    return 0


def _findings(chosen: argparse.Namespace) -> int:
    from .findings import activate
    from .stack_info import read_stack_info

    print(activate(read_stack_info(StackPaths(chosen.state_dir.resolve())), chosen.activate))
    return 0


def _invoke(chosen: argparse.Namespace) -> int:
    from .invoke import InvokeError, invoke

    try:
        result = invoke(StackPaths(chosen.state_dir.resolve()), chosen.name, chosen.event, deadline=chosen.deadline)
    except (InvokeError, StartError) as error:
        print(error, file=sys.stderr)
        return 2
    print(result)
    return 0


_COMMANDS = {
    "up": _up,
    "stop": _stop,
    "sign": _sign,
    "token": _token,
    "forget": _forget,
    "release": _release,
    "events": _events,
    "redrive": _redrive,
    "findings": _findings,
    "invoke": _invoke,
}

if __name__ == "__main__":
    sys.exit(main())
