"""The signers of packages/signers run the test vectors, each in its language where that is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from local.paths import ROOT
from tools.signatures_page import PAGE, count_vectors
from tools.signing_vectors import lines

SIGNERS = ROOT / "packages" / "signers"
README = (SIGNERS / "README.md").read_text(encoding="utf-8")
VERSIONS = {
    "Node.js": ("javascript/package.json", '"node": ">={}"'),
    "PHP": ("php/composer.json", '"php": ">={}"'),
    "Ruby": ("ruby/darkroom_signer.gemspec", "required_ruby_version = '>= {}'"),
    "Go": ("go/go.mod", "go {}\n"),
    "Java": ("java/pom.xml", "<maven.compiler.release>{}<"),
}
"""Where each signer states its oldest version of the language."""

RUBY_FEATURES = {r"^ *def \w+[?!]?(\([^()\n]*\))? = ": (3, 0), r"\.intersect\?\(": (3, 1)}
"""Patterns of endless methods and of ``Array#intersect?``, with the version that introduced each."""


def run(command: Sequence[str | Path], folder: Path, sent: str = "") -> str:
    """The output of a command, which must succeed; the test is skipped without its program."""
    program = shutil.which(str(command[0]))
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [program, *map(str, command[1:])],
        cwd=folder,
        input=sent,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_DISABLE_NETWORK": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_javascript() -> None:
    assert re.search(r"^# pass 6$", run(["node", "--test"], SIGNERS / "javascript"), re.MULTILINE)


def test_php() -> None:
    assert run(["php", "test/vectors.php"], SIGNERS / "php") == f"{count_vectors()} vectors\n"


def test_ruby() -> None:
    assert run(["ruby", "-w", "test/vectors_test.rb"], SIGNERS / "ruby") == f"{count_vectors()} vectors\n"


@pytest.mark.slow
def test_go() -> None:
    assert f"{count_vectors()} vectors" in run(["go", "test", "-v", "-count=1", "./..."], SIGNERS / "go")


@pytest.mark.slow
def test_java(tmp_path: Path) -> None:
    folder = SIGNERS / "java"
    sources = [folder / "src" / "darkroom" / "Signer.java", folder / "test" / "VectorTest.java"]
    run(["javac", "-Xlint:all", "-Werror", "-encoding", "UTF-8", "-d", tmp_path, *sources], folder)
    assert (
        run(["java", "-Dfile.encoding=US-ASCII", "-cp", tmp_path, "VectorTest"], folder, lines())
        == f"{count_vectors()} vectors\n"
    )


@pytest.mark.slow
def test_csharp(tmp_path: Path) -> None:
    folder, program = SIGNERS / "csharp", tmp_path / "vectors.exe"
    run(["mcs", "-warnaserror", f"-out:{program}", "src/Signer.cs", "test/VectorTest.cs"], folder)
    assert run(["mono", program], folder, lines()) == f"{count_vectors()} vectors\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("javascript", "npm pack --dry-run --offline"),
        ("php", "composer validate --strict --no-interaction"),
        ("ruby", "gem build darkroom_signer.gemspec --output {folder}/signer.gem"),
        ("go", "go vet ./..."),
        ("java", "mvn --offline --quiet validate"),
    ],
    ids=lambda one: one.partition(" ")[0],
)
def test_the_packager_accepts_the_metadata(language: str, command: str, tmp_path: Path) -> None:
    run(command.format(folder=tmp_path).split(), SIGNERS / language)


def test_the_project_of_nuget_compiles_the_signer() -> None:
    """No dotnet is in Debian."""
    project = ElementTree.parse(SIGNERS / "csharp" / "Darkroom.Signer.csproj")
    [compiled] = project.iterfind("ItemGroup/Compile")
    assert (SIGNERS / "csharp" / compiled.attrib["Include"]).is_file()
    stated = {one.tag for one in project.iterfind("PropertyGroup/*")}
    assert {"PackageId", "Version", "Authors", "Description", "PackageLicenseExpression"} <= stated


@pytest.mark.parametrize("language", VERSIONS)
def test_the_oldest_version_is_stated_twice(language: str) -> None:
    stated = re.search(rf"^{re.escape(language)} ([\d.]+) or later", README, re.MULTILINE)
    assert stated is not None
    path, text = VERSIONS[language]
    assert text.format(stated[1]) in (SIGNERS / path).read_text(encoding="utf-8")


def test_the_ruby_signer_uses_no_feature_of_a_later_version() -> None:
    stated = re.search(r"^Ruby (\d+)\.(\d+) or later", README, re.MULTILINE)
    code = (SIGNERS / "ruby" / "lib" / "darkroom_signer.rb").read_text(encoding="utf-8")
    used = [version for feature, version in RUBY_FEATURES.items() if re.search(feature, code, re.MULTILINE)]
    assert stated is not None
    assert max(used, default=(0, 0)) <= (int(stated[1]), int(stated[2]))


def test_the_page_lists_every_signer() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = {name.rstrip("/") for name in re.findall(r"\(\.\./\.\./packages/signers/([a-z]+)\)", page)}
    assert listed == {path.name for path in SIGNERS.iterdir() if path.is_dir()}
