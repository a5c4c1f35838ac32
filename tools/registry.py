"""Versions of models: see them, register one, let it be used or not.

``python -m tools.registry --group <output ModelGroupName> list``, ``… register --image I --metrics m.json``,
``… approve 3 --by ada --why "…"``, ``… reject 3 …``. With ``--local`` it is the registry of the stack on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.aws.audit import RELEASE, AuditLog
from darkroom.aws.clients import client
from darkroom.aws.registry import ModelVersion, Registry
from darkroom.aws.s3 import S3Bucket
from darkroom.errors import DarkroomError

from . import local_stack

_JUDGE: Mapping[str, Callable[[Registry, str, str], None]] = {"approve": Registry.approve, "reject": Registry.reject}


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """The command; its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.local:
            environment = _localised(chosen)
        registry = Registry(client("sagemaker", environment), chosen.group)
        for line in _COMMANDS[chosen.command](registry, chosen, environment):
            sys.stdout.write(line + "\n")
    except (DarkroomError, ValueError, OSError) as error:
        detail = error.detail if isinstance(error, DarkroomError) else ""
        sys.stderr.write(f"{error} {detail}".strip() + "\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.registry", description=__doc__.partition("\n")[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--group", help="the model package group (the stack's output ModelGroupName)")
    where.add_argument("--local", action="store_true", help="that of the stack on this machine")
    parser.add_argument("--state-dir", type=Path, default=local_stack.STATE, help="where that stack's data is (.local)")
    parser.add_argument("--audit", metavar="BUCKET", help="the audit bucket (the stack's output AuditBucketName)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every version, the newest first")
    register = commands.add_parser("register", help="a new version, which waits for approval")
    register.add_argument("--image", required=True, help="the container's image; on this machine a folder of models")
    register.add_argument("--metrics", type=Path, help="a JSON file of figures by name, as `make replay` writes it")
    register.add_argument("--dataset", help="the manifest that it was trained with")
    register.add_argument("--parent", help="the version that it comes from")
    register.add_argument("--revision", help="of the code that trained it; by default that of this checkout")
    register.add_argument("--description", default="")
    for name in _JUDGE:
        judge = commands.add_parser(name, help=f"{name} a version")
        judge.add_argument("version", help="its number, or its ARN")
        judge.add_argument("--why", required=True)
        judge.add_argument("--by", required=True, help="who decides it")
    return parser


def _localised(chosen: argparse.Namespace) -> dict[str, str]:
    """Fill in what the running stack tells; its environment."""
    facts = local_stack.read(chosen.state_dir)
    if "ModelGroupName" not in facts["outputs"]:
        raise ValueError("the stack on this machine has no registry: it runs without an endpoint")
    chosen.group = facts["outputs"]["ModelGroupName"]
    chosen.audit = chosen.audit or facts["outputs"].get("AuditBucketName")
    return local_stack.environment(facts)


def _list(registry: Registry, _: argparse.Namespace, __: Mapping[str, str]) -> Iterator[str]:
    versions = registry.versions()
    if not versions:
        yield f"{registry.group} has no versions"
    for one in versions:
        yield f"{one.version}  {one.approval}  {one.image}" + (f"  ({one.why})" if one.why else "")
        figures = [f"{name} {value:g}" for name, value in sorted(one.metrics.items())]
        origins = [f"{name} {text}" for name, text in sorted(one.lineage.items())]
        for facts in (figures, origins):
            if facts:
                yield "    " + ", ".join(facts)


def _register(registry: Registry, chosen: argparse.Namespace, _: Mapping[str, str]) -> Iterator[str]:
    origins = {"dataset": chosen.dataset, "parent": chosen.parent, "revision": chosen.revision or _revision()}
    model = ModelVersion(
        image=_image(chosen.image),
        metrics=_figures(chosen.metrics) if chosen.metrics else {},
        lineage={name: text for name, text in origins.items() if text},
        description=chosen.description,
    )
    yield registry.register(model)


def _judged(registry: Registry, chosen: argparse.Namespace, environment: Mapping[str, str]) -> Iterator[str]:
    arn = _arn(registry, chosen.version)
    _JUDGE[chosen.command](registry, arn, chosen.why)
    if chosen.audit:
        audit = AuditLog(S3Bucket(client("s3", environment), chosen.audit))
        audit.write(RELEASE, arn, chosen.by, decision=chosen.command, why=chosen.why)
    yield arn


def _image(said: str) -> str:
    """A folder's URI, which is what an endpoint on this machine tells of its variants; else what was said."""
    folder = Path(said)
    return folder.resolve().as_uri() if folder.is_dir() else said


def _figures(path: Path) -> dict[str, float]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in document.values()
    ):
        raise ValueError(f"{path} is no JSON object of numbers")
    return {name: float(value) for name, value in document.items()}


def _revision() -> str:
    """That of the checkout in the current folder, empty where there is none."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _arn(registry: Registry, version: str) -> str:
    if not version.isdigit():
        return version
    known = {one.version: one.arn for one in registry.versions()}
    if int(version) not in known:
        raise ValueError(f"{registry.group} has no version {version}")
    return known[int(version)]


_COMMANDS = {"list": _list, "register": _register, "approve": _judged, "reject": _judged}

if __name__ == "__main__":
    sys.exit(main())
