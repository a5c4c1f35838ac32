"""The package of npm that is made of frontends/: its files, and what a type checker reads in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.component.frontends.test_frontends import with_npm

FRONTENDS = ROOT / "frontends"
PAGE = """\
import { darkroomUrl, srcset } from 'darkroom-frontends/darkroom.mjs';
import { signUrl } from 'darkroom-frontends/sign.mjs';
import { Uploader, type Item } from 'darkroom-frontends/upload.mjs';

const url: string = darkroomUrl('https://images.example.com', 'a.jpg', { w: 800, f: 'webp' });
const signed: string = signUrl(url, 'key', 1);
const sizes: string = srcset('', 'a.jpg', 1200);
const added: Item[] = new Uploader({ token: 't' }).add([]);
const wrong: number = darkroomUrl('', 'a.jpg');
darkroomUrl('', 'a.jpg', { w: new Date() });
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
@with_npm
def test_a_type_checker_reads_the_types_of_the_package(tmp_path: Path) -> None:
    folder, site = tmp_path / "frontends", tmp_path / "site"
    shutil.copytree(FRONTENDS, folder, ignore=shutil.ignore_patterns("node_modules"))
    assert run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund").returncode == 0
    packed = run(folder, "npm", "pack", "--json", "--silent")
    assert packed.returncode == 0, packed.stderr
    names = {one["path"] for one in json.loads(packed.stdout[packed.stdout.index("[") :])[0]["files"]}
    modules = {path.name for path in FRONTENDS.glob("*.mjs")}
    assert names == {"package.json", "README.md", *modules, *(f"{name[:-4]}.d.mts" for name in modules)}
    [archive] = folder.glob("*.tgz")
    installed = site / "node_modules" / "darkroom-frontends"
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    shutil.copytree(tmp_path / "package", installed)
    (site / "page.mts").write_text(PAGE)
    tsc = str(folder / "node_modules" / ".bin" / "tsc")
    checked = run(site, tsc, "--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "page.mts")
    errors = [line.split(":")[0] for line in checked.stdout.splitlines() if ": error " in line]
    assert errors == ["page.mts(9,7)", "page.mts(10,28)"], checked.stdout
