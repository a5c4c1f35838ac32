"""A renderer that ends or hangs during a request: what a viewer gets, and that the next request is served."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes import family
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.viewer import Answer, Viewer

SAMPLE = "/samples/coffee.png"
EVERY_S = 0.1


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("failing"), "--no-watch", "--no-inference")
    yield running
    assert stop_stack(running) == 0


@pytest.fixture(scope="module")
def browser(failing: Stack) -> Viewer:
    """A viewer at a PoP that has fetched the pages of both errors."""
    found = failing.viewer()
    for status in (502, 504):
        assert found.get(f"/_/errors/{status}.json").status == 200
    return found


def find_renderers(stack: Stack) -> set[int]:
    """Return the processes of the transform function."""
    found = set()
    for pid in family(stack.pids["ministack"]):
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if any(line.startswith(b"AWS_LAMBDA_FUNCTION_NAME=") and b"transform" in line.lower() for line in variables):
            found.add(pid)
    return found


def test_a_process_that_ends_is_a_problem_document_and_passes(failing: Stack, browser: Viewer) -> None:
    """Every process that begins to answer is killed, until the CDN has given up."""
    url, killed = f"{SAMPLE}?w=320", 0
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(browser.get, url)
        while not answer.done():
            for pid in find_renderers(failing):
                os.kill(pid, signal.SIGKILL)
                killed += 1
            time.sleep(EVERY_S)
    assert killed
    expect_problem(answer.result(), 502, "unreachable")
    expect_image(browser.get(url))


def test_a_service_that_does_not_answer_is_a_problem_document_and_passes(failing: Stack, browser: Viewer) -> None:
    """The whole of Lambda and S3 stands still until CloudFront's response timeouts have passed."""
    url = f"{SAMPLE}?w=640"
    os.kill(failing.pids["ministack"], signal.SIGSTOP)
    try:
        failed = browser.get(url)
    finally:
        os.kill(failing.pids["ministack"], signal.SIGCONT)
    expect_problem(failed, 504, "timed-out")
    expect_image(browser.get(url))


def expect_problem(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert int(answer.headers["retry-after"]) > 0


def expect_image(answer: Answer) -> None:
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
