"""Releases on a machine without a checkout: the last one and that of this checkout, used, upgraded and removed."""

from __future__ import annotations

import filecmp
import itertools
import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from darkroom import VERSION
from darkroom.image_keys import DERIVATIVES
from extensions import list_extensions
from local.paths import ROOT, architecture
from local.post_deploy import complete
from tests.emulated_account import Account, open_account
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

WITHIN_S = 1200.0
"""A hang: a build compiles and compresses all layers."""

NEXT = "99.0.0"
"""Version of the release of this checkout, to which the last release is upgraded."""

VERSION_FILE = "layers/darkroom/darkroom/__init__.py"
"""File of which the last change is the last release."""

EXTENSION = next(one.flag for one in list_extensions() if not one.first_stack_parameters)
STACK = ("--stack", "trial", "--region", "us-east-1")


def clone(folder: Path) -> Path:
    checkout = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    return checkout


def run_tool(checkout: Path, *words: str | Path) -> None:
    """Run a module of ``checkout``, which must succeed."""
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=WITHIN_S)
    assert done.returncode == 0, done.stdout + done.stderr


def build_last_release(folder: Path) -> Path:
    """Build the last release for this machine's processor from the commit that gave it its version."""
    checkout = clone(folder)
    log = ["git", "log", "-1", "--format=%H", "-G^VERSION = ", "--", VERSION_FILE]
    commit = subprocess.run(log, cwd=checkout, capture_output=True, text=True, check=True).stdout.strip()
    assert commit, "the clone has no history"
    subprocess.run(["git", "checkout", "--quiet", commit], cwd=checkout, check=True)
    run_tool(checkout, "tools.release", VERSION, "--to", folder / "release", "--arch", architecture())
    return folder / "release"


def build_next_release(folder: Path) -> Path:
    """Build this checkout as the release after the last one."""
    checkout = clone(folder)
    changelog = checkout / "CHANGELOG.md"
    entry = "## [Unreleased]\n\n- Everything.\n"
    changelog.write_text(changelog.read_text(encoding="utf-8").replace("## [Unreleased]\n", entry), encoding="utf-8")
    run_tool(checkout, "tools.release.cut", NEXT)
    run_tool(checkout, "tools.release", NEXT, "--to", folder / "release", "--arch", architecture())
    return folder / "release"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_last_release(tmp_path_factory.mktemp("last"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_next_release(tmp_path_factory.mktemp("next"))


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with open_account(tmp_path_factory.mktemp("account")) as opened:
        yield opened


@dataclass(frozen=True)
class User:
    """A user with Python and credentials: the command of the release in an environment of its own."""

    home: Path
    account: Account
    commands: str = ""

    def take(self, release: Path) -> User:
        """Install the command of another release; return the user with it."""
        commands = release.parent.name
        venv.create(self.home / commands, with_pip=True)
        pip = [self.home / commands / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements-commands.txt"], check=True)
        subprocess.run([*pip, "--no-deps", *release.glob("darkroom-*.whl")], check=True)
        return replace(self, commands=commands)

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command; it has to end with ``code``."""
        environment = {**self.account.environment, "HOME": str(self.home)}
        command = [self.home / self.commands / "bin" / "darkroom", *words]
        done = subprocess.run(
            command, cwd=self.home, env=environment, capture_output=True, text=True, check=False, timeout=WITHIN_S
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def read(self, *words: str) -> Any:
        """Run a command about the stack; its document."""
        return json.loads(self.run(*words, *STACK, "--json").stdout)


@pytest.fixture(scope="module")
def user(release: Path, account: Account, tmp_path_factory: pytest.TempPathFactory) -> User:
    return User(tmp_path_factory.mktemp("home"), account).take(release)


@pytest.fixture(scope="module")
def cdn(user: User, release: Path) -> Iterator[str]:
    """The installed stack's CDN."""
    done = user.run("install", str(release), "Alarms=off", "RetentionDays=90,30,14,30,1", "--yes", *STACK)
    assert done.stdout.startswith("CDN:      https://")
    complete(user.account.cloud, "trial")  # what MiniStack ignores of a template
    with user.account.open_distribution(user.account.cloud.read_outputs("trial")["DistributionId"]) as url:
        yield url


def get(url: str) -> tuple[int, Message, bytes]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_two_builds_are_equal(newer: Path, tmp_path: Path) -> None:
    again = build_next_release(tmp_path)
    names = sorted(path.relative_to(newer).as_posix() for path in newer.rglob("*") if path.is_file())
    assert sorted(path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file()) == names
    assert filecmp.cmpfiles(newer, again, names, shallow=False) == (names, [], [])


def test_the_command_knows_what_needs_a_checkout(user: User) -> None:
    assert user.run("--version").stdout == f"darkroom {VERSION}\n"
    for words in (("up",), ("stop",), ("explore",)):
        done = user.run(*words, code=1 if words != ("explore",) else 2)
        assert "Traceback" not in done.stderr
    assert "needs a checkout" in user.run("up", code=1).stderr
    assert "There is no stack darkroom in us-east-1" in user.run("status", "--region", "us-east-1", code=4).stderr


def test_a_photograph_is_served_changed_and_purged(user: User, cdn: str) -> None:
    (user.home / "photo.jpg").write_bytes(jpeg_photo((1600, 1200)))
    user.run("upload", "photo.jpg", *STACK)
    status, headers, body = get(f"{cdn}/photo.jpg?w=800&f=webp")
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    assert body[8:12] == b"WEBP"
    assert get(f"{cdn}/photo.jpg?w=801")[0] == 403
    signed = user.run("sign", "/photo.jpg?w=801", *STACK).stdout.strip()
    path = signed.split("/", 3)[3]
    assert get(f"{cdn}/{path}")[0] == 200
    assert json.loads(get(f"{cdn}/photo.jpg?f=json")[2])["width"] == 1600

    (user.home / "settings.toml").write_text("[default_quality]\nwebp = 40\n")
    user.run("settings", "apply", "settings.toml", *STACK)

    def is_smaller() -> bool:
        user.run("purge", "--all", "--yes", *STACK)
        return len(get(f"{cdn}/photo.jpg?w=800&f=webp")[2]) < len(body)

    wait_until(is_smaller, "functions have read the setting, and the image was rendered again", WITHIN_S, every_s=5)


def test_an_extension_is_installed_beside_it(user: User, release: Path, cdn: str) -> None:
    assert cdn
    user.run("install", str(release), "--extension", EXTENSION, "--yes", *STACK)
    assert f"Remove the extensions first: --extension {EXTENSION}" in user.run("uninstall", *STACK, code=1).stderr


@contextmanager
def request_all_the_time(urls: Sequence[str]) -> Iterator[list[tuple[str, int, bytes]]]:
    """Request ``urls`` in turns until the context exits; it has URL and status of each response, and what a failed one
    says."""
    answers: list[tuple[str, int, bytes]] = []
    ended = threading.Event()

    def request() -> None:
        for url in itertools.cycle(urls):
            if ended.is_set():
                return
            status, _, body = get(url)
            answers.append((url, status, b"" if status == 200 else body[:300]))

    thread = threading.Thread(target=request)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def list_stored(account: Account) -> dict[str, Any]:
    """Derivatives in the stack's bucket, with the times at which they were stored."""
    bucket = account.cloud.read_outputs("trial")["MediaBucketName"]
    pages = account.cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=DERIVATIVES)
    return {one["Key"]: one["LastModified"] for page in pages for one in page.get("Contents", [])}


def test_no_request_fails_during_an_upgrade_and_on_the_way_back(
    user: User, release: Path, newer: Path, cdn: str
) -> None:
    urls = [*(f"{cdn}/photo.jpg?w={width}&f=webp" for width in (320, 480, 640)), f"{cdn}/photo.jpg?f=json"]
    assert [get(url)[0] for url in urls] == [200] * len(urls)
    stored = list_stored(user.account)
    with request_all_the_time(urls) as answers:
        done = user.take(newer).read("upgrade", str(newer), "--yes", "--skip-smoke")
        assert (done["from"], done["to"], done["extensions"]) == (VERSION, NEXT, [EXTENSION])
        status = user.read("status")
        assert status["settings"]["version"] == 1
        between = len(answers)
        back = user.read("upgrade", str(release), "--yes", "--skip-smoke")
        assert (back["from"], back["to"]) == (NEXT, VERSION)
        count = len(answers)
        wait_until(lambda: len(answers) > count + len(urls), "the stack answers after the way back", WITHIN_S)
    assert not [one for one in answers if one[1] != 200]
    assert 0 < between < len(answers)
    assert list_stored(user.account) == stored


def test_a_removal_with_its_data_leaves_nothing(user: User, cdn: str) -> None:
    assert cdn
    user.run("uninstall", "--extension", EXTENSION, "--delete-data", "--yes", *STACK)
    done = user.read("uninstall", "--delete-data", "--yes")
    assert done["remaining"] == []
    left = [one["Name"] for one in user.account.cloud.s3.list_buckets()["Buckets"] if one["Name"].startswith("trial")]
    assert left == []
