"""The commands of all pages, as they are written, by a reader with a clean checkout and its local stack."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.runbooks import StackCommands, name_local_stack
from local.deploy import LIBRARY_BUCKET
from local.paths import ROOT, Ports
from tests.documented import list_pages, name_page, write_script
from tests.images.photographs import jpeg_photo
from tests.stack.conftest import Stack, start_stack, stop_stack

WITHIN_S = 600.0
"""A limit that detects a hang."""

IMAGES = (
    *(
        "photo.jpg",
        "holiday.jpg",
        "rome.jpg",
        "new.png",
        "scene.tif",
        "photos/one.jpg",
        "trips/rome.jpg",
        "trips/oslo.jpg",
    ),
    "photos/trips/rome.jpg",
)
"""Files that pages use, all of them photographs: what a page shows is tested elsewhere."""

UPLOADED = (
    *("photo.jpg", "logo.png", "café.jpg", "party.gif", "people/ada.jpg", "holidays/one.jpg", "trips/rome.jpg"),
)


@dataclass(frozen=True)
class Reader:
    """A reader in ``checkout``, whose folder `.local` is the state of ``stack``."""

    checkout: Path
    stack: Stack

    @property
    def ports(self) -> Ports:
        return Ports(*(int(url.rpartition(":")[2]) for url in (self.stack.cdn_url, self.stack.aws_endpoint_url)))

    @property
    def commands(self) -> StackCommands:
        """The stack as `./darkroom runbook` names it in this checkout."""
        info = self.stack.running.info | {"sagemaker_url": ""}
        named = name_local_stack(info, self.stack.state)
        return StackCommands(named.name, "--local", named.aws)

    def shell(self, script: str) -> None:
        """Run ``script`` with confirmations, until the first failure or undefined variable."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DARKROOM_"))}
        programs = os.pathsep.join([str(ROOT / ".venv" / "bin"), inherited["PATH"]])
        done = subprocess.run(
            ["bash", "-c", 'yes | bash -euxo pipefail -c "$0"', script],
            cwd=self.checkout,
            env=inherited | {"HOME": str(self.checkout), "PATH": programs, "AWS_PAGER": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_S,
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    checkout, state = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("state")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name, follow_symlinks=False)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    (checkout / ".local").symlink_to(state)
    for shared in ("venvs", "models"):
        (state / shared).symlink_to(ROOT / ".local" / shared)
    running = start_stack(state, "--no-watch", "--no-inference")
    found = Reader(checkout, running)
    prepare(found)
    yield found
    assert stop_stack(running) == 0


def prepare(reader: Reader) -> None:
    """Write the files, settings, uploads and buckets that pages take for granted."""
    for name in (*IMAGES, *UPLOADED):
        (reader.checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (reader.checkout / name).write_bytes(jpeg_photo((640, 480)))
    for page in ("index.html", "site/index.html"):
        (reader.checkout / page).parent.mkdir(exist_ok=True)
        (reader.checkout / page).write_text('<img src="https://shop.imgix.net/photo.jpg?w=300">')
    (reader.checkout / "scan.pdf").write_bytes(b"%PDF-1.4\n")
    for bucket in (LIBRARY_BUCKET, "my-photos"):
        reader.stack.cloud.s3.create_bucket(Bucket=bucket)
    reader.stack.cloud.s3.put_object(Bucket=LIBRARY_BUCKET, Key="one.jpg", Body=jpeg_photo((640, 480)))
    reader.shell(
        "./darkroom settings show > settings.toml\n"
        "cp settings.toml sources.toml\n"
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out chain.pem -subj /CN=reader -days 1\n"
        "cp chain.pem C2PA-TRUST-LIST.pem\n"
        + "".join(
            f"./darkroom upload '{name}' {f'--prefix {folder}/' if (folder := name.rpartition('/')[0]) else ''}\n"
            for name in UPLOADED
        )
    )


@pytest.mark.parametrize("page", list_pages(), ids=name_page)
def test_the_commands_of_a_page_run_as_written(reader: Reader, page: Path) -> None:
    """tests/documented.py lists what runs otherwise on a local stack, and why."""
    reader.shell(write_script(page, reader.commands, reader.ports))
