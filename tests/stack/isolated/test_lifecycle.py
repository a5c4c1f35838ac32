"""The local stack as a process: persistent state, leftovers and failures."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from darkroom_pipeline.aws.record import READY
from local.paths import COMMAND, ROOT
from local.ports import find_free_ports
from tests.images.photographs import jpeg_photo
from tests.processes import alive, family
from tests.stack.conftest import start_stack, stop_stack
from tests.stack.operating import Operator
from tests.waiting import HANG_S, wait_until


def up(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start a stack that is expected to give up, and wait until it has."""
    command = [*COMMAND, "up", "--state-dir", str(state), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0


def test_ctrl_c_leaves_nothing_behind_and_the_next_start_has_the_data(tmp_path: Path) -> None:
    first = start_stack(tmp_path, "--no-watch", "--no-inference")
    first.cloud.s3.put_object(Bucket=first.media_bucket, Key="masters/kept.txt", Body=b"kept")
    with urllib.request.urlopen(f"{first.cdn_url}/samples/coffee.png?w=320", timeout=HANG_S) as answer:
        assert answer.status == 200
    pids = family(first.running.process.pid)
    assert len(pids) >= 3  # the stack, MiniStack, a function
    assert stop_stack(first) == 0
    assert not alive(pids)
    assert not listening(first.cdn_url)
    assert not listening(first.aws_endpoint_url)
    assert not (tmp_path / "stack.json").exists()
    assert not (tmp_path / "tmp").exists()

    second = start_stack(tmp_path, "--no-watch", "--no-inference")
    try:
        assert "Nothing to deploy" in (tmp_path / "output.log").read_text()
        kept = second.cloud.s3.get_object(Bucket=second.media_bucket, Key="masters/kept.txt")
        assert kept["Body"].read() == b"kept"
        for name in ("media_bucket", "distribution_id", "signing_key"):
            assert getattr(first, name) == getattr(second, name)
        with urllib.request.urlopen(f"{second.cdn_url}/samples/coffee.png?w=320", timeout=HANG_S) as answer:
            assert answer.headers["X-Cache"] == "Miss from cloudfront"
        assert second.invocations() == 0  # it came from S3
    finally:
        second.running.process.kill()  # SIGKILL: child processes must notice by themselves
    pids = family(second.running.process.pid) | {second.pids["ministack"]}

    def have_ended() -> bool:
        second.running.process.poll()
        return not alive(pids)

    wait_until(have_ended, lambda: f"they have ended: {alive(pids)}")


def test_a_killed_stack_restores_what_was_not_saved(tmp_path: Path) -> None:
    """The whole stack is killed after an upload was ingested: its index entry is saved once a minute."""
    first = start_stack(tmp_path, "--no-watch", "--no-inference")
    pids = family(first.running.process.pid)
    Operator(first, tmp_path).upload("lost.jpg", jpeg_photo())
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    first.running.process.wait()
    wait_until(lambda: not alive(pids), "they have ended")

    second = start_stack(tmp_path, "--no-watch", "--no-inference")
    try:
        output = (tmp_path / "output.log").read_text()
        assert "MiniStack was killed. Tables, queues and deployed stacks are as of " in output
        assert re.search(r"Restored from the uploads bucket: \d+ uploads are ingested again, 0 deletions", output)
        operator = Operator(second, tmp_path)
        wait_until(lambda: operator.state("lost.jpg") == READY, "the upload has its entry again")
        operator.upload("new.jpg", jpeg_photo())
        for key in ("lost.jpg", "new.jpg"):
            with urllib.request.urlopen(f"{second.cdn_url}/{key}?w=320", timeout=HANG_S) as answer:
                assert answer.status == 200
    finally:
        assert stop_stack(second) == 0


def test_a_change_of_code_shows_without_a_restart(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "docs")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    (checkout / ".local").mkdir()
    (checkout / ".local" / "venvs").symlink_to(ROOT / ".local" / "venvs")
    changing = start_stack(tmp_path / "state", "--no-inference", root=checkout)
    try:
        errors = checkout / "layers" / "darkroom" / "darkroom" / "errors.py"
        title = re.compile(r'(code="no-source".*?title=)"[^"]*"')
        for sentence in ("No image has this name", "No master has this name"):
            edited = title.sub(rf'\1"{sentence}"', errors.read_text())
            assert sentence in edited
            errors.write_text(edited)
            missing = (f"{changing.cdn_url}/missing-{number}.jpg?w=320" for number in itertools.count())
            wait_until(
                lambda sentence=sentence, missing=missing: sentence in refusal(next(missing)),  # type: ignore[misc]
                (tmp_path / "state" / "output.log").read_text,
            )
    finally:
        assert stop_stack(changing) == 0


def refusal(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_an_occupied_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    cdn, aws = find_free_ports(2)
    with socket.create_server(("127.0.0.1", aws)):
        done = up(tmp_path, "--port", str(cdn), "--aws-port", str(aws))
    assert done.returncode == 1
    assert f"Port {aws} is in use" in done.stderr
    assert f"--aws-port {aws + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_stop_without_a_stack_and_sign_without_one(tmp_path: Path) -> None:
    def darkroom(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *arguments, "--state-dir", str(tmp_path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert darkroom("stop").stdout == "No stack runs on this machine\n"
    assert "Start one with `./darkroom up`" in darkroom("sign", "/a.jpg?w=801").stderr
