"""Pages with commands, as a reader with the local stack runs them, and the lines that cannot run there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cli.runbooks import StackCommands, write_for
from local.paths import ROOT, Ports

from . import guide
from .guide import Deviation
from .places import PAGES, list_blocks

ELSEWHERE: Mapping[str, str] = {
    "docs/getting-started/deploy.md": "tests/stack/isolated/test_guide.py",
    "docs/getting-started/install.md": "tests/stack/isolated/test_release.py",
    "docs/guides/operations/playbooks.md": "tests/stack/test_operating_guide.py",
    "docs/guides/operations/postmortem.md": "tests/stack/test_operating_guide.py",
    "docs/guides/operations/routines.md": "tests/stack/test_operating_guide.py",
}
"""Pages whose commands another test runs. Those of runbooks are run by tests/stack/test_runbooks.py."""

RUNBOOKS = ROOT / "docs" / "guides" / "runbooks"

_RELEASE = Deviation("tests/stack/isolated/test_release.py installs, upgrades and removes a release")
_SAM = Deviation("tests/stack/isolated/test_guide.py builds and deploys")
_ENDLESS = "it ends only by Ctrl-C"
_EXTENSION = "the stack has no extension; their own tests are in extensions/*/tests"
_INFERENCE = "the stack has no endpoint; tests/stack/isolated/test_training.py and test_inference.py have one"
_REGISTRY = Deviation("there is no registry of container images")
_COMPLETION = Deviation("it changes this shell, or another one", "./darkroom completion bash > completion.sh")
_UNSORTED = Deviation("the reference sorts commands by name", "./darkroom library --help")
_QUOTAS = Deviation("tests/tooling/cli/test_preflight_account.py asks stand-ins of the services that the engine lacks")


def _read_extensions() -> Iterator[tuple[str, Deviation]]:
    """Yield the deviations of extensions, which are in their folders."""
    for file in sorted(ROOT.glob("extensions/*/tests/documented.toml")):
        for start, instead in tomllib.loads(file.read_text(encoding="utf-8"))["instead"].items():
            yield start, Deviation(_EXTENSION, instead)


DEVIATIONS: Mapping[str, Deviation] = {
    "make ": Deviation("tests/unit/test_docs_commands.py looks up the target"),
    "sudo apt-get ": Deviation("it changes the machine"),
    ".venv/bin/python -m pytest": Deviation("tests/unit/test_docs.py looks up the files"),
    ".venv/bin/python -m bench ": Deviation("it measures, and writes into the documents"),
    "WRITE_API_CALLS=1 ": Deviation("a test"),
    ".venv/bin/python -m pdb ": Deviation("it asks", "./darkroom invoke transform events/transform/miss.json"),
    ".local/venvs/sam/bin/sam local invoke": Deviation("it needs a container engine"),
    "sam build": _SAM,
    "sam deploy": _SAM,
    'eval "sam deploy ': _SAM,
    "pipx install ": _RELEASE,
    "darkroom install ": _RELEASE,
    "./darkroom install ": _RELEASE,
    "./darkroom upgrade ": _RELEASE,
    "./darkroom uninstall ": _RELEASE,
    "./darkroom release publish ": _RELEASE,
    "./darkroom preflight": _QUOTAS,
    "./darkroom policy ": Deviation("tests/stack/isolated/test_guide.py writes policies"),
    "./darkroom up ": Deviation("the stack runs"),
    "./darkroom stop": Deviation("the other commands need the stack"),
    "./darkroom open ": Deviation("it opens a browser"),
    "./darkroom smoke --": Deviation("tests/stack/test_smoke.py runs it", "./darkroom smoke --list"),
    "./darkroom compare-builds ": Deviation("tests/tooling/cli/test_compare_builds.py has two builds"),
    "./darkroom logs ingest --follow": Deviation(_ENDLESS, "./darkroom logs ingest"),
    "./darkroom logs transform --follow": Deviation(_ENDLESS, "./darkroom logs transform"),
    "./darkroom logs refine ": Deviation(_ENDLESS),
    "./darkroom settings edit": Deviation("it opens an editor", "EDITOR=true ./darkroom settings edit"),
    "./darkroom check secret signing <": Deviation("the file has keys", "./darkroom check secret --help"),
    "./darkroom check endpoint-image ": _REGISTRY,
    "docker buildx ": _REGISTRY,
    "aws ecr get-login-password ": _REGISTRY,
    'eval "$(./darkroom completion ': _COMPLETION,
    "./darkroom completion fish | source": _COMPLETION,
    "./darkroom completion bash > ~/": _COMPLETION,
    "./darkroom findings reanalyse ": Deviation(_INFERENCE, "./darkroom findings reanalyse --help"),
    "./darkroom forget trips/rome.jpg --check": Deviation(
        "the erasure goes on", "./darkroom forget trips/rome.jpg --check || [ $? = 1 ]"
    ),
    "./darkroom library report moving --json": _UNSORTED,
    "./darkroom library resume moving --concurrency": _UNSORTED,
    "./darkroom settings rollback 3": Deviation("there is one version", "./darkroom settings rollback 1"),
    "./darkroom library start --operation ingest --source old-photos": Deviation(
        "the local stack reads the bucket darkroom-library",
        "./darkroom library start --operation ingest --source darkroom-library --into archive/ --run moving"
        " || ./darkroom library resume moving",
    ),
    "./darkroom registry": Deviation(_INFERENCE, "./darkroom registry --help"),
    "./darkroom replay ": Deviation(_INFERENCE, "./darkroom replay --help"),
    "./darkroom train ": Deviation(_INFERENCE, "./darkroom train --help"),
    "./darkroom manifests review ": Deviation(_INFERENCE, "./darkroom manifests review --help"),
    "./darkroom manifests sheet ": Deviation(_INFERENCE, "./darkroom manifests sheet --help"),
    "./darkroom golden put ": Deviation("tests/tooling/cli/test_golden.py has labels", "./darkroom golden put --help"),
    '# add "EventBridgeConfiguration"': Deviation(
        "the reader's editor", "echo '{\"EventBridgeConfiguration\": {}}' > notifications.json"
    ),
    "aws secretsmanager create-secret --name darkroom-content-credentials": Deviation(
        "the local stack has this secret",
        "aws secretsmanager create-secret --name readers-credentials --secret-string file://secret.json",
    ),
    "aws s3 cp scene.tif ": Deviation(
        "the AWS CLI 1 lacks CRC64NVME", 'aws s3 cp scene.tif "s3://$(output UploadsBucketName)/maps/scene.tif"'
    ),
    "parameters=$(./darkroom parameters counter": Deviation("the page's reader writes this extension", "parameters="),
    "curl -o coffee.jpg \"$(./darkroom sign '/samples/coffee.png?w=800&vig=50": Deviation(
        "the page's reader writes this option"
    ),
    "export DARKROOM_STACK=": Deviation("the stack is the local one"),
    **dict(_read_extensions()),
}
"""The lines that do not run on a local stack without extensions and inference, by their start."""

PLACEHOLDERS = (
    "aws s3api head-object --bucket",
    "aws cloudfront create-invalidation --distribution-id E123",
    "aws pricing-plan-manager ",
    "aws stepfunctions list-map-runs ",
    "aws events put-permission ",
    "aws schemas ",
    "  aws schemas ",
    "aws cognito-idp ",
)
"""AWS commands that name what only an account has. The AWS CLI checks their words and values, without a call."""

DRAFTS = "aws secretsmanager put-secret-value "
"""Commands with keys that only the reader has. They store a version that nothing reads."""

STATUS: Mapping[str, int] = {
    "./darkroom review release ": 3,
    "./darkroom review confirm ": 3,
    "./darkroom library stop ": 2,
    "./darkroom golden trend --weeks 8": 1,
    "./darkroom explain '/photo.jpg?w=801'": 1,
    "./darkroom explain '/people/ada.jpg": 1,
    "grep -rl ": 1,
    "./darkroom upload scan.pdf": 1,
}
"""Exit statuses of commands about what is refused, held images, which a new stack lacks, and jobs that have ended."""


_CONTINUED = re.compile(r"\\\n *")
_END = "\0"
_COMMENT = re.compile(r"  #.*")
_LINE = re.compile(r"""#.*|(?:"[^"\n]*"|'[^']*'|[^'\n])+""")
"""A line, with all of a text in single quotes."""

_JOINED = re.compile(r"(\'[^\']*\'|\"[^\"]*\"|\$\([^()]*\))| && ")
_CHOICE = re.compile(r" --region (?!\$)\S+| --profile \S+")
_OTHER_STACK = re.compile(r"--stack (?:shop|trial)\b")
_VALIDATE = " --generate-cli-skeleton output > /dev/null"


def list_pages() -> list[Path]:
    """Return the pages whose blocks no other test runs."""
    return [
        page
        for page in PAGES
        if page.parent != RUNBOOKS and name_page(page) not in ELSEWHERE and list_blocks(page.read_text("utf-8"))
    ]


def name_page(page: Path) -> str:
    """Return the path of ``page`` in the repository."""
    return page.relative_to(ROOT).as_posix()


def write_script(page: Path, stack: StackCommands, ports: Ports) -> str:
    """Return the blocks of ``page`` for the local stack ``stack`` at ``ports``, after the function ``output``.

    Other pages refer to its definition in deploy.md. ``a && b`` is two lines: bash does not end for the failure of a.
    """
    [definition] = (block.splitlines()[0] for block in guide.read_blocks() if block.startswith("output()"))
    lines = (
        replacement
        for block in list_blocks(page.read_text("utf-8"))
        for line in _LINE.findall(_COMMENT.sub("", _CONTINUED.sub("", block)))
        for command in _JOINED.sub(lambda found: found[1] or _END, line).split(_END)
        for replacement in adapt(command)
    )
    text = _name_stack("\n".join([definition, *lines]), stack)
    return text.replace(":8088", f":{ports.cdn}").replace(":4566", f":{ports.aws}")


def adapt(line: str) -> Iterator[str]:
    """Yield what runs here in place of ``line``, a command or a part of one."""
    command = line.rstrip()
    if (deviation := _find(DEVIATIONS, line)) is not None:
        yield DEVIATIONS[deviation].instead
    elif _find(PLACEHOLDERS, line) is not None:
        yield re.sub(r" > \S+$", "", command) + _VALIDATE
    elif line.startswith(DRAFTS):
        yield f"{command} --version-stages DRAFT"
    elif (start := _find(STATUS, line)) is not None:
        yield f"{command} && exit 9 || [ $? = {STATUS[start]} ]"
    else:
        yield line


def _find(starts: Iterable[str], line: str) -> str | None:
    return next((start for start in starts if line.startswith(start)), None)


def _name_stack(text: str, stack: StackCommands) -> str:
    return write_for(stack, _OTHER_STACK.sub("--stack darkroom", _CHOICE.sub("", text)))
