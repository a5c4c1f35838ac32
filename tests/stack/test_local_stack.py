"""The local stack as a process: what it keeps, what it leaves behind, how it fails, what it takes over."""

from __future__ import annotations

import itertools
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from local.place import ROOT
from local.ports import free_ports

from .conftest import STARTS_WITHIN_S, Stack, start_stack, stop_stack


def family(pid: int) -> set[int]:
    """``pid`` and all its descendants."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(tuple(map(int, line.split())) for line in listed.splitlines())
    found, before = {pid}, set[int]()
    while found != before:
        before = set(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found & parents.keys()


def alive(pids: set[int]) -> set[int]:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    states = {int(pid): state for pid, state in (line.split() for line in listed.splitlines())}
    return {pid for pid in pids if not states.get(pid, "Z").startswith("Z")}


def up(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start a stack that is expected to give up, and wait until it has."""
    command = [sys.executable, "-m", "local", "up", "--state-dir", str(state), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) == 0


def test_ctrl_c_leaves_nothing_behind_and_the_next_start_has_the_data(tmp_path: Path) -> None:
    first = start_stack(tmp_path, "--no-watch", "--no-inference")
    first.cloud.s3.put_object(Bucket=first.media_bucket, Key="masters/kept.txt", Body=b"kept")
    with urllib.request.urlopen(f"{first.cdn_url}/samples/coffee.png?w=320", timeout=60) as answer:
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
        with urllib.request.urlopen(f"{second.cdn_url}/samples/coffee.png?w=320", timeout=60) as answer:
            assert answer.headers["X-Cache"] == "Miss from cloudfront"
        assert second.invocations() == 0  # it came from S3
    finally:
        second.running.process.kill()  # by force: what it started has to notice by itself
    pids = family(second.running.process.pid) | {second.pids["ministack"]}
    deadline_s = time.monotonic() + 30
    while alive(pids) and time.monotonic() < deadline_s:
        second.running.process.poll()
        time.sleep(0.2)
    assert not alive(pids)


def test_a_change_of_code_shows_without_a_restart(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "docs")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    (checkout / ".local").mkdir()
    (checkout / ".local" / "venvs").symlink_to(ROOT / ".local" / "venvs")
    changing = start_stack(tmp_path / "state", "--no-inference", root=checkout)
    try:
        errors = checkout / "layers" / "darkroom" / "darkroom" / "errors.py"
        title = re.compile(r'(code = "no-source".*?title = )"[^"]*"', re.DOTALL)
        for sentence in ("No negative has this name", "Nor has any this"):
            errors.write_text(title.sub(rf'\1"{sentence}"', errors.read_text()))
            deadline_s = time.monotonic() + STARTS_WITHIN_S
            for number in itertools.count():
                if sentence in refusal(f"{changing.cdn_url}/missing-{number}.jpg?w=320"):
                    break
                assert time.monotonic() < deadline_s, (tmp_path / "state" / "output.log").read_text()
                time.sleep(0.5)
    finally:
        assert stop_stack(changing) == 0


def refusal(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_an_occupied_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    cdn, aws = free_ports(2)
    with socket.create_server(("127.0.0.1", aws)):
        done = up(tmp_path, "--port", str(cdn), "--aws-port", str(aws))
    assert done.returncode == 1
    assert f"Port {aws} is not free" in done.stderr
    assert f"--aws-port {aws + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_stack_in_the_same_place_is_refused(stack: Stack) -> None:
    done = up(stack.state)
    assert done.returncode == 1
    assert f"process {stack.running.process.pid}" in done.stderr


def test_stop_without_a_stack_and_sign_without_one(tmp_path: Path) -> None:
    def local(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "local", *arguments, "--state-dir", str(tmp_path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert local("stop").stdout == "No stack runs here\n"
    assert "Start one by `make run`" in local("sign", "/a.jpg?w=801").stderr


def test_sign_prints_a_url_that_is_served(stack: Stack) -> None:
    command = [sys.executable, "-m", "local", "sign", "/samples/coffee.png?w=333&f=webp", "--expires-in", "600"]
    done = subprocess.run(
        [*command, "--state-dir", str(stack.state)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with urllib.request.urlopen(done.stdout.strip(), timeout=60) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")


def test_an_invalidation_reaches_the_cdn(stack: Stack) -> None:
    url = f"{stack.cdn_url}/samples/rocket.jpg?w=320&f=jpeg"

    def cache_state() -> str:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return str(answer.headers["X-Cache"]).split(" ")[0]

    cache_state()
    assert cache_state() == "Hit"
    paths = ["/samples/rocket.jpg/_/*"]
    stack.cloud.cloudfront.create_invalidation(
        DistributionId=stack.distribution_id,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": paths}, "CallerReference": "test"},
    )
    stack.refresh_cdn()
    assert cache_state() == "Miss"


def test_functions_have_what_layers_and_the_runtime_bring_and_nothing_else(stack: Stack) -> None:
    """A function of its own tells what it sees."""
    import io
    import json
    import zipfile

    source = (
        "import importlib.util, os, sys\n"
        "def handler(event, context):\n"
        "    names = ['boto3', 'pip', 'ministack', 'hypercorn', 'pytest', 'numpy', 'darkroom']\n"
        "    found = [name for name in names if importlib.util.find_spec(name)]\n"
        "    return {'found': found, 'environment': sorted(os.environ)}\n"
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", source)
    functions = stack.cloud.functions
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/probe",
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="probe", WaiterConfig={"Delay": 1})
    seen = json.loads(functions.invoke(FunctionName="probe")["Payload"].read())
    functions.delete_function(FunctionName="probe")
    assert seen["found"] == ["boto3"]
    assert "AWS_ENDPOINT_URL" in seen["environment"]
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "PWD", "SHELL", "USER"} & set(seen["environment"])


def test_the_start_page_and_the_option_table(stack: Stack) -> None:
    import json

    with urllib.request.urlopen(f"{stack.cdn_url}/", timeout=30) as answer:
        page = answer.read().decode()
    assert "/_local/console/console.js" in page
    for name in ("console.js", "form.js", "style.css"):
        with urllib.request.urlopen(f"{stack.control_url}/console/{name}", timeout=30) as answer:
            assert answer.status == 200
    with urllib.request.urlopen(f"{stack.control_url}/options", timeout=30) as answer:
        table = json.load(answer)
    assert {"w", "fit", "redact"} <= {option["short"] for option in table["options"]}
    with urllib.request.urlopen(f"{stack.control_url}/photographs", timeout=30) as answer:
        assert "samples/coffee.png" in json.load(answer)
