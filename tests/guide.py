"""The shell blocks of docs/getting-started/deploy.md, and which of their lines run otherwise on the local engine."""

from __future__ import annotations

import platform
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from local.paths import ROOT

GUIDE = ROOT / "docs" / "getting-started" / "deploy.md"
_BLOCK = re.compile(r"^( *)```sh\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_INVOKED = "aws lambda invoke "


@dataclass(frozen=True)
class Deviation:
    """The reason why a line does not run here, and the line of docs/getting-started/local-stack.md to run instead, if
    any."""

    reason: str
    instead: str = ":"


_INSTALLED = Deviation("the SAM CLI is installed already, from the same requirements file (local/tool_venvs.py)")
_NO_CDN = Deviation("the distribution's domain name has no address on the engine; tests/stack has a CDN")
_NO_PROBE = Deviation(
    "the probe of the CDN fails; the test reads the other checks",
    "./darkroom doctor --stack darkroom --region eu-central-1 --json > doctor.json || [ $? -eq 1 ]",
)
_NO_SMOKE = Deviation("needs a CDN; tests/stack/test_smoke.py runs it on the local stack")
_NO_LOGS = Deviation("the copy has no history and no access logs; tests/tooling/cli/test_compare_builds.py runs it")

DEVIATIONS: Mapping[str, Deviation] = {
    "python3.13 -m venv ../sam && . ../sam/bin/activate": _INSTALLED,
    "pip install --require-hashes -r requirements-sam.txt": _INSTALLED,
    'curl -sI "$(output CdnUrl)/photo.jpg?w=800"': _NO_CDN,
    "./darkroom doctor --stack darkroom ": _NO_PROBE,
    "./darkroom logs transform --stack darkroom ": Deviation("it ends only by Ctrl-C"),
    "./darkroom smoke --stack darkroom --region eu-central-1 --output smoke.json": _NO_SMOKE,
    "./darkroom smoke  ": _NO_SMOKE,
    "./darkroom smoke --only removal --only odd-keys": _NO_SMOKE,
    "git worktree add ../darkroom-before ": _NO_LOGS,
    "log_bucket=$(output AccessLogBucketName)": _NO_LOGS,
    'aws s3 cp --recursive "s3://$log_bucket/" logs/': _NO_LOGS,
    "./darkroom compare-builds ": _NO_LOGS,
}
"""By the start of the line in the guide."""


def read_blocks() -> list[str]:
    """The shell blocks of the guide in the order of the page."""
    return [textwrap.dedent(block) for _, block in _BLOCK.findall(GUIDE.read_text(encoding="utf-8"))]


def read_deployment(guide: str) -> str:
    """The shell block that deploys an extension, of the page ``guide``."""
    page = (ROOT / guide).read_text(encoding="utf-8")
    return next(block for _, block in _BLOCK.findall(page[page.index("\n## Deploy\n") :]))


def adapt(block: str) -> str:
    """``block`` with :data:`DEVIATIONS` applied to its lines."""
    return "".join(f"{_adapt_line(line)}\n" for line in block.splitlines())


def _adapt_line(line: str) -> str:
    return next((one.instead for start, one in DEVIATIONS.items() if line.startswith(start)), line)


def variables(blocks: list[str]) -> set[str]:
    """Shell variables that later blocks use."""
    return {name for block in blocks for name in re.findall(r"^(\w+)=(?:\$\(|\S*$)", block, re.MULTILINE)}


def in_order(blocks: list[str], machine: str = platform.machine()) -> list[str]:
    """In the order of the page; on x86-64, blocks that invoke a function follow its build for this processor."""
    invoking = [block for block in blocks if _INVOKED in block]
    if machine != "x86_64":
        return blocks
    rest = [block for block in blocks if _INVOKED not in block]
    [built] = [index for index, block in enumerate(rest) if block.startswith("ARCH=x86_64 ")]
    return [*rest[: built + 1], *invoking, *rest[built + 1 :]]
