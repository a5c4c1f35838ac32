"""A shop by the guides alone: an existing bucket, purges, cut-outs, and a page with signed images and an experiment.

``walk.log`` in the folder of the tests has the commands with their output, ``shop.png`` the page, ``results.html`` the
results of the experiment. ``DARKROOM_SHOP_IMAGES`` is the number of images in the bucket, at least 200.
"""

from __future__ import annotations

import asyncio
import html
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import skimage
from aiohttp import web
from PIL import Image
from playwright.async_api import Response

from cli import local_stack
from cli.exit_codes import ExitCode
from cli.purging import ASKED_FROM
from darkroom.plan.experiments import Experiment
from darkroom.services.live_settings import FRESH_S
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import RunStore, Tally
from local.aws import tool_environment
from local.paths import COMMAND, ROOT
from tests.component.browser.browser import CHROMIUM, Page, open_profiles
from tests.component.browser.serving import served
from tests.images.sources import saved
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.inference_client import HANG_S, InferenceClient
from tests.stack.operating import Operator
from tests.stack.test_popular import count
from tests.stack.viewer import Answer, Viewer
from tests.waiting import wait_until, wait_until_async

pytestmark = pytest.mark.slow

IMAGES = int(os.environ.get("DARKROOM_SHOP_IMAGES", "300"))
BUCKET = "s3://my-photos/originals/"
MODELS = ".local/cutout-models"
CUP, ODD, MISSING = "shop/cup.png", 'shop/shoes & socks/röd "sko".jpg', "products/missing.jpg"
GUIDES = ("cut-outs", "fallback-images", "overlays", "experiments")
"""Guides whose first settings make the settings of the shop."""

HERO = Experiment("hero", (("hero", 50), ("hero-crop", 50)))
VISITORS, CLICKS = 4, 2
PROGRAMS: Mapping[str, Sequence[str | Path]] = {"./darkroom": COMMAND, "aws": [ROOT / ".venv" / "bin" / "aws"]}

SIGNERS = {
    "php -r": """
        require 'packages/signers/php/src/Signer.php';
        $signer = new Darkroom\\Signer(getenv('BASE'), getenv('DARKROOM_SIGNING_KEY'));
        foreach (json_decode(stream_get_contents(STDIN), true) as [$key, $options])
            echo $signer->url($key, $options, time() + 3600), "\\n";
    """,
    "node --input-type=module -e": """
        import { readFileSync } from 'node:fs';
        import { Signer } from './packages/signers/javascript/index.js';
        const signer = new Signer(process.env.BASE, process.env.DARKROOM_SIGNING_KEY);
        for (const [key, options] of JSON.parse(readFileSync(0, 'utf8')))
            console.log(signer.url(key, options, new Date(Date.now() + 3600_000)));
    """,
}
"""Programs of a web server, by the command that runs them: the first one whose language is installed signs the page."""

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title>
<picture>
  <source type="image/avif" srcset="{avif}" sizes="388px">
  <source type="image/webp" srcset="{webp}" sizes="388px">
  <img id="signed" src="{fallback}" alt="Red shoe" width="388">
</picture>
<img id="cutout" src="{base}/shop/cup.png?preset=product" alt="Cup" width="300">
<img id="badge" src="{base}/shop/cup.png?preset=sale" alt="Cup on sale" width="300">
<img id="missing" src="{base}/products/missing.jpg?w=320" alt="Missing" width="160">
<a id="buy" href="#buy"><img id="hero" src="{base}/shop/cup.png?exp=hero" alt="Hero" width="320"></a>
<script type="module">
import {{ watchExperiment }} from '/experiment.mjs';
watchExperiment({{ base: '{base}', experiment: 'hero' }});
</script>
"""
SIZES = "Object.fromEntries([...document.images].map(one => [one.id, [one.naturalWidth, one.naturalHeight]]))"


@dataclass(frozen=True)
class Walk:
    """A stack, its operator and its viewers, and the ``folder`` of files and of the log."""

    operator: Operator
    viewer: Viewer
    folder: Path

    @property
    def stack(self) -> Stack:
        return self.operator.stack

    def note(self, text: str) -> None:
        """Add ``text`` to the log."""
        with (self.folder / "walk.log").open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%T')} {text}\n")

    def run(self, command: str, *, status: int = 0) -> str:
        """Run a command of the guides in the folder, on the local stack; return its output."""
        program, *words = shlex.split(command)
        options = ["--state-dir", str(self.stack.state)] if program == "./darkroom" else []
        done = subprocess.run(
            [*PROGRAMS[program], *words, *options],
            cwd=self.folder,
            env=tool_environment(self.stack.aws_endpoint_url) | local_stack.environment(self.operator.info),
            input="",
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        self.note(f"$ {command}\n{output}")
        assert done.returncode == status, output
        return output

    def get(self, path: str, **headers: str) -> Answer:
        """Request an image, and log the answer."""
        answer = self.viewer.get(path, **headers)
        kind = answer.headers.get("content-type", "")
        self.note(f"GET {path}: {answer.status} {kind}, {len(answer.body)} bytes, {answer.cache}")
        return answer

    def wait_for_purges(self) -> None:
        """Wait until no purge is waiting or in progress, and no repetition of one."""
        wait_until(lambda: self.operator.waiting("purge") == 0, "no purge is waiting", HANG_S, every_s=1)


def read_colour(answer: Answer) -> tuple[int, ...]:
    """The mean colour of an image; black if the answer is none."""
    if answer.status != 200:
        return (0, 0, 0)
    colour = Image.open(io.BytesIO(answer.body)).convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert isinstance(colour, tuple)
    return colour


def name_image(number: int) -> str:
    return f"shop/{number // 100:03}/{number:05}.jpg"


def read_settings() -> str:
    """The first settings of each guide, joined."""
    pages = [(ROOT / "docs" / "guides" / f"{name}.md").read_text(encoding="utf-8") for name in GUIDES]
    blocks = [re.findall(r"^( *)```toml\n(.*?)^\1```$", page, re.DOTALL | re.MULTILINE)[0][1] for page in pages]
    return "\n".join(textwrap.dedent(block) for block in blocks)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A stack of an existing bucket without events, with the model of cut-outs."""
    subprocess.run([*COMMAND, "cutout-model", MODELS], cwd=ROOT, check=True)
    source = ("--parameter", "SourceBucket=my-photos", "--parameter", "SourcePrefix=originals/")
    running = start_stack(tmp_path_factory.mktemp("shop"), "--no-watch", "--models", MODELS, *source)
    viewer = running.viewer()
    folder = tmp_path_factory.mktemp("walk")
    walk = Walk(Operator(running, folder), viewer, folder)
    (folder / "off.json").write_text("{}")
    walk.run(
        "aws s3api put-bucket-notification-configuration --bucket my-photos --notification-configuration file://off.json"
    )
    for number in range(IMAGES):
        path = folder / "photos" / name_image(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(Image.new("RGB", (480, 320), (0, number % 256, 128)), "JPEG"))
    walk.run(f"aws s3 cp --recursive --only-show-errors photos {BUCKET}")
    yield walk
    assert stop_stack(running) == 0


def test_an_overwrite_and_a_deletion_reach_the_cdn(walk: Walk) -> None:
    """With the commands of docs/guides/source-buckets.md, which turn events on."""
    walk.run("aws s3api get-bucket-notification-configuration --bucket my-photos")
    (walk.folder / "notifications.json").write_text('{"EventBridgeConfiguration": {}}')
    walk.run(
        "aws s3api put-bucket-notification-configuration --bucket my-photos "
        "--notification-configuration file://notifications.json"
    )
    key = name_image(IMAGES - 1)
    path = f"/{key}?w=320"
    assert read_colour(walk.get(path))[0] < 30
    assert walk.viewer.again(path).cache == "Hit"
    (walk.folder / "red.jpg").write_bytes(saved(Image.new("RGB", (480, 320), (220, 20, 20)), "JPEG"))
    walk.run(f"aws s3 cp --only-show-errors red.jpg {BUCKET}{key}")
    wait_until(lambda: read_colour(walk.viewer.get(path))[0] > 200, "the CDN has the new image")
    walk.get(path)
    walk.run(f"aws s3 rm {BUCKET}{key}")
    wait_until(lambda: walk.viewer.get(path).status == 404, "the image is gone")
    walk.get(path)
    assert walk.viewer.derivatives(f"/{key}") == []


def test_prefixes_and_manifests_are_purged(walk: Walk) -> None:
    """The objects do not change, so that only the CDN's copies go."""
    walk.wait_for_purges()
    paths = [f"/{name_image(number)}?w=320" for number in (0, 1, 150)]
    for path in paths:
        walk.get(path)
    total = walk.run("./darkroom purge --prefix shop/ --dry-run")
    assert total.startswith(f"{IMAGES - 1} keys: at most $")
    assert all(walk.viewer.again(path).cache == "Hit" for path in paths)
    assert f"Purge {ASKED_FROM} keys" in walk.run("./darkroom purge --prefix shop/000/", status=ExitCode.INTERRUPTED)
    assert walk.run("./darkroom purge --prefix shop/000/ --yes").startswith(f"purging {ASKED_FROM} keys")
    for path in paths[:2]:
        wait_until(lambda path=path: walk.viewer.get(path).cache != "Hit", f"{path} is invalidated", HANG_S)
    assert walk.viewer.get(paths[2]).cache == "Hit"
    (walk.folder / "keys.txt").write_text(f"{name_image(150)}\n{ODD}\n", encoding="utf-8")
    assert walk.run("./darkroom purge --manifest keys.txt").startswith("purging 2 keys")
    wait_until(lambda: walk.viewer.get(paths[2]).cache != "Hit", f"{paths[2]} is invalidated", HANG_S)


@pytest.fixture(scope="module")
def shop(walk: Walk) -> Walk:
    """Images of the page in the bucket, the settings of the guides in force, and the cup analysed."""
    cup = (Path(skimage.__file__).parent / "data" / "coffee.png").read_bytes()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><rect width="1200" height="800"/></svg>'
    photo = saved(Image.open(io.BytesIO(cup)).convert("RGB"), "JPEG")
    grey = saved(Image.new("RGB", (640, 480), (200, 200, 200)), "PNG")
    objects = {CUP: cup, ODD: photo, "fallback/product.svg": svg, "fallback/any.png": grey}
    for key, body in objects.items():
        file = walk.folder / f"object{Path(key).suffix}"
        file.write_bytes(body)
        walk.run(f"aws s3 cp --only-show-errors {file.name} {shlex.quote(BUCKET + key)}")
    (walk.folder / "settings.toml").write_text(read_settings(), encoding="utf-8")
    walk.run('./darkroom settings apply settings.toml --yes --by ada --reason "the shop"')
    media = S3Bucket(walk.stack.cloud.s3, walk.stack.media_bucket)
    RunStore(media).write_tally(HERO, Tally(0, 0, {}))  # visitors within minutes of a change are not counted
    InferenceClient(walk.stack, walk.viewer).ready()
    time.sleep(FRESH_S)  # functions that run keep the settings of before until then
    walk.run("./darkroom library start --operation infer --prefix shop/cup")
    wait_until(lambda: is_cut_out(walk.viewer.get("/shop/cup.png?preset=product")), "the cup is cut out", HANG_S)
    return walk


def is_cut_out(answer: Answer) -> bool:
    """Whether an answer is the cup on white: the table of the photograph is brown at its corners."""
    if answer.status != 200:
        return False
    image = Image.open(io.BytesIO(answer.body)).convert("RGB")
    side_px = image.width
    places = [(100, 100), (side_px - 100, 100), (side_px // 2, side_px // 2)]
    first, second, middle = [image.getpixel(place) for place in places]
    return image.size == (1080, 1080) and first == second == (255, 255, 255) != middle


def sign_page(walk: Walk) -> str:
    """The page of the shop, with the URLs that a signer prints."""
    command, program = next(item for item in SIGNERS.items() if shutil.which(item[0].split()[0]))
    widths = (401, 777)
    crops = [{"w": w, "h": w * 2 // 3, "fit": "cover", "g": "attention"} for w in widths]
    wanted = [crop | {"f": form} for form in ("avif", "webp") for crop in crops] + [{"w": 777}]
    base = walk.stack.cdn_url
    done = subprocess.run(
        [*command.split(), program],
        cwd=ROOT,
        env=os.environ | {"BASE": base, "DARKROOM_SIGNING_KEY": walk.stack.signing_key},
        input=json.dumps([[ODD, options] for options in wanted]),
        capture_output=True,
        text=True,
        check=True,
    )
    urls = [html.escape(url) for url in done.stdout.splitlines()]
    walk.note(f"$ {command}{program}\n{done.stdout}")
    sets = [", ".join(f"{url} {w}w" for url, w in zip(urls[at : at + 2], widths, strict=True)) for at in (0, 2)]
    return PAGE.format(avif=sets[0], webp=sets[1], fallback=urls[4], base=base)


def test_presets_and_fallback_images_are_served(shop: Walk) -> None:
    assert is_cut_out(shop.get("/shop/cup.png?preset=product"))
    badge = Image.open(io.BytesIO(shop.get("/shop/cup.png?preset=sale").body)).convert("RGB")
    frequent = [colour for pixels, colour in badge.getcolors(badge.width * badge.height) if pixels > 100]
    assert any(red > 190 and green < 20 > blue for red, green, blue in frequent), "the back of the badge is d00000"
    missing = shop.get(f"/{MISSING}?w=320")
    assert (missing.status, missing.headers["x-darkroom-error"]) == (404, "no-source")
    assert Image.open(io.BytesIO(missing.body)).size == (320, 213)
    assert shop.get("/shop/cup.png?w=777").status == 403, "without a signature"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_visitors_of_a_signed_page_are_in_the_results(shop: Walk) -> None:
    asyncio.run(visit_page(shop, sign_page(shop)))
    media = S3Bucket(shop.stack.cloud.s3, shop.stack.media_bucket)

    def list_counts() -> tuple[int, int]:
        count(shop.stack)
        counts = RunStore(media).read_tally(HERO).counts.values()
        return sum(one.visitors for one in counts), sum(one.clicks for one in counts)

    wait_until(lambda: list_counts() == (VISITORS, CLICKS), "visitors and clicks are counted", every_s=5)
    shown = shop.run("./darkroom experiments report --page results.html")
    assert all(re.search(rf"^ +{preset} ", shown, re.MULTILINE) for preset in HERO.presets)
    [found] = json.loads(shop.run("./darkroom experiments report --json"))["experiments"]
    assert sum(one["visitors"] for one in found["variants"]) == VISITORS
    assert "hero-crop" in (shop.folder / "results.html").read_text()


async def visit_page(walk: Walk, text: str) -> None:
    """Serve the page, and open it as several visitors."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/experiment.mjs":
            return web.FileResponse(ROOT / "frontends" / "experiment.mjs", headers={"content-type": "text/javascript"})
        return web.Response(text=text, content_type="text/html", charset="utf-8")

    async with served(answer) as address, open_profiles() as open_profile:
        for number in range(VISITORS):
            page = await open_profile()
            await visit(walk, page, address, f"visitor-{number}", clicks=number < CLICKS)
            await page.screenshot(walk.folder / "shop.png")


async def visit(walk: Walk, page: Page, address: str, visitor: str, *, clicks: bool) -> None:
    """Open the page as ``visitor``, who clicks on the image of the experiment or does not; check what is shown."""
    seen: dict[str, int] = {}

    def note(response: Response) -> None:
        seen[response.url] = response.status
        walk.note(f"{visitor}: {response.status} {response.headers.get('content-type', '')} {response.url}")

    page.tab.on("response", note)
    await page.tab.context.add_cookies([{"name": "visitor", "value": visitor, "url": address}])
    await page.open(address)
    await wait_until_async(lambda: any("event=view" in url for url in seen), "the view is reported")
    if clicks:
        await page.tab.click("#buy")
        await wait_until_async(lambda: any("event=click" in url for url in seen), "the click is reported")
    statuses = {urlsplit(url).path.removeprefix("/"): status for url, status in seen.items()}
    assert {path: status for path, status in statuses.items() if status not in (200, 204)} == {MISSING: 404}
    sizes = await page.until(f"[...document.images].every(one => one.complete) && {SIZES}")
    hero = sizes.pop("hero")
    assert hero in ([600, 400], [600, 338])
    assert sizes.pop("signed")[0] in (387, 388), "401 px of the image at the width of the page"
    assert sizes == {"cutout": [1080, 1080], "badge": [600, 400], "missing": [320, 213]}
    signed = await page.evaluate("document.querySelector('#signed').currentSrc")
    assert "f=avif" in signed
    assert page.errors == []
