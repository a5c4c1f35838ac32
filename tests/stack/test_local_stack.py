"""Commands and pages of a running local stack."""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from local.paths import COMMAND, ROOT
from tests.component.browser.browser import CHROMIUM, open_browser
from tests.images.photographs import jpeg_photo
from tests.stack.conftest import Stack
from tests.stack.viewer import Viewer
from tests.waiting import HANG_S


def up(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start a stack that is expected to give up, and wait until it has."""
    command = [*COMMAND, "up", "--state-dir", str(state), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_second_stack_in_the_same_place_is_refused(stack: Stack) -> None:
    done = up(stack.state)
    assert done.returncode == 1
    assert f"process {stack.running.process.pid}" in done.stderr


@pytest.mark.slow
@pytest.mark.smoke
def test_sign_writes_a_url_that_is_served(stack: Stack) -> None:
    command = [*COMMAND, "sign", "/samples/coffee.png?w=333&f=webp", "--expires-in", "600"]
    done = subprocess.run(
        [*command, "--state-dir", str(stack.state)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with urllib.request.urlopen(done.stdout.strip(), timeout=HANG_S) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")


def test_an_invalidation_reaches_the_cdn(stack: Stack) -> None:
    url = f"{stack.cdn_url}/samples/rocket.jpg?w=320&f=jpeg"

    def cache_state() -> str:
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
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
    """A separate function returns its input."""
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
        Role=functions.get_function_configuration(FunctionName=stack.functions["SweepFunction"]["name"])["Role"],
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="probe", WaiterConfig={"Delay": 1})
    seen = json.loads(functions.invoke(FunctionName="probe")["Payload"].read())
    functions.delete_function(FunctionName="probe")
    assert seen["found"] == ["boto3"]
    assert "AWS_ENDPOINT_URL" in seen["environment"]
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "PWD", "SHELL", "USER"} & set(seen["environment"])


def test_the_start_page_and_the_option_table(stack: Stack, viewer: Viewer) -> None:
    with urllib.request.urlopen(f"{stack.cdn_url}/", timeout=HANG_S) as answer:
        page = answer.read().decode()
    assert "/_local/console/console.js" in page
    for name in ("console.js", "form.js", "style.css"):
        with urllib.request.urlopen(f"{stack.control_url}/console/{name}", timeout=HANG_S) as answer:
            assert answer.status == 200
    with urllib.request.urlopen(f"{stack.control_url}/options", timeout=HANG_S) as answer:
        table = json.load(answer)
    assert {"w", "fit", "redact"} <= {option["short"] for option in table["options"]}
    path = viewer.upload(jpeg_photo(), "newest.jpg")
    with urllib.request.urlopen(f"{stack.control_url}/photographs", timeout=HANG_S) as answer:
        assert path.removeprefix("/") in json.load(answer)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_start_page_explains_any_url(stack: Stack, viewer: Viewer) -> None:
    """In a browser, with its reasons, the bytes for each browser and the prices."""
    unknown = viewer.upload(jpeg_photo(), "unknown.jpg")
    why = "document.querySelector('#why')?.innerText"

    async def run() -> None:
        async with open_browser() as page:
            await page.open(f"{stack.cdn_url}/#{unknown}?w=320")
            await page.until(f"{why}?.includes('ingest has not examined this image')")
            await page.open(f"{stack.cdn_url}/#/samples/coffee.png?w=321&h=321&fit=cover&g=center")
            await page.until(f"{why}?.includes('A million misses') && {why}.includes('321 × 321 px')")
            found = await page.evaluate(why)
            said = ("served", "keeps", "AVIF accepted", "Signature", "needed")
            assert not [text for text in said if text not in found], found
            await page.until("document.querySelectorAll('#browsers td').length === 9")
            second = "[...document.querySelectorAll('#browsers td:nth-child(2)')]"
            formats = await page.evaluate(f"{second}.map(one => one.innerText)")
            assert formats == ["avif", "webp", "jpeg"]
            assert await page.evaluate("!!document.querySelector('.kept').style.width")
            assert page.errors == []

    asyncio.run(run())
