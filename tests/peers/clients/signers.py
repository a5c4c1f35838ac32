"""Signed URLs of extensions below an image, by each signer in its language."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local.paths import ROOT

PACKAGES = ROOT / "packages"
FOLDER = PACKAGES / "signers"

type Options = Mapping[str, str | int]

_PYTHON = """\
import json, sys
from darkroom_url import build_extension_url
base, signing_key, image, name, options = json.loads(sys.argv[1])
print(build_extension_url(image, name, base=base, signing_key=signing_key, **options))
"""
_NODE = """\
import { Signer } from %(module)s;
const [base, key, image, name, options] = JSON.parse(process.argv[1]);
console.log(new Signer(base, key).extension(image, name, options));
"""
_FRONTENDS = """\
import { signedExtension } from %(module)s;
const [base, key, image, name, options] = JSON.parse(process.argv[1]);
console.log(signedExtension(base, image, name, options, { key }));
"""
_PHP = """\
require $argv[1];
[$base, $key, $image, $name, $options] = json_decode($argv[2], true);
echo (new Darkroom\\Signer($base, $key))->extension($image, $name, $options);
"""
_RUBY = """\
# encoding: utf-8
require 'json'
require ARGV[0]
base, key, image, name, options = JSON.parse(ARGV[1].dup.force_encoding('UTF-8'))
puts DarkroomSigner.new(base, key).extension(image, name, options)
"""
_GO = """\
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"%(module)s"
)

func main() {
	var given struct {
		Base, Key, Image, Name string
		Options          map[string]string
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &given); err != nil {
		panic(err)
	}
	made, err := signer.New(given.Base, given.Key)
	if err != nil {
		panic(err)
	}
	url, err := made.Extension(given.Image, given.Name, given.Options, time.Time{})
	if err != nil {
		panic(err)
	}
	fmt.Println(url)
}
"""
_JAVA = """\
import darkroom.Signer;
import java.util.Map;
import java.util.TreeMap;

public final class Main {
    public static void main(String[] given) {
        Map<String, Object> options = new TreeMap<>();
        for (int at = 4; at < given.length; at += 2) {
            options.put(given[at], given[at + 1]);
        }
        System.out.println(new Signer(given[0], given[1]).extension(given[2], given[3], options, null));
    }
}
"""
_CSHARP = """\
using System;
using System.Collections.Generic;

public static class Program
{
    public static void Main(string[] given)
    {
        var options = new Dictionary<string, object>();
        for (var at = 4; at < given.Length; at += 2)
        {
            options[given[at]] = given[at + 1];
        }
        Console.WriteLine(new Darkroom.Signer(given[0], given[1]).Extension(given[2], given[3], options));
    }
}
"""

SIGNERS = ("python", "javascript", "frontends", "php", "ruby", "go", "java", "csharp")
"""The seven signers by their folders, and that of front ends."""


def sign_extension(signer: str, base: str, key: str, image: str, name: str, options: Options, folder: Path) -> str:
    """Return the signed URL of the extension ``name`` below an image; skips the test without the signer's language."""
    document = json.dumps([base, key, image, name, options])
    words = [base, key, image, name, *(str(word) for pair in options.items() for word in pair)]
    if signer == "python":
        wheel = folder / "wheel"
        _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheel], PACKAGES / "darkroom-url")
        with zipfile.ZipFile(next(wheel.glob("*.whl"))) as archive:
            archive.extractall(folder / "installed")
        code = f"import sys; sys.path.insert(0, {str(folder / 'installed')!r})\n{_PYTHON}"
        return _run([sys.executable, "-I", "-c", code, document], folder)
    if signer in ("javascript", "frontends"):
        file = FOLDER / "javascript" / "index.js" if signer == "javascript" else ROOT / "frontends" / "sign.mjs"
        code = (_NODE if signer == "javascript" else _FRONTENDS) % {"module": json.dumps(file.as_uri())}
        return _run(["node", "--input-type=module", "-e", code, document], folder)
    if signer == "php":
        return _run(["php", "-r", _PHP, "--", FOLDER / "php" / "src" / "Signer.php", document], folder)
    if signer == "ruby":
        return _run(["ruby", "-e", _RUBY, FOLDER / "ruby" / "lib" / "darkroom_signer.rb", document], folder)
    if signer == "go":
        return _run_go([base, key, image, name], options, folder)
    if signer == "java":
        sources = [FOLDER / "java" / "src" / "darkroom" / "Signer.java", _write(folder / "Main.java", _JAVA)]
        _run(["javac", "-encoding", "UTF-8", "-d", folder, *sources], folder)
        return _run(["java", "-Dsun.jnu.encoding=UTF-8", "-cp", folder, "Main", *words], folder)
    program = folder / "sign.exe"
    _run(
        ["mcs", f"-out:{program}", FOLDER / "csharp" / "src" / "Signer.cs", _write(folder / "Program.cs", _CSHARP)],
        folder,
    )
    return _run(["mono", program, *words], folder)


def _run_go(given: Sequence[str], options: Options, folder: Path) -> str:
    module = (FOLDER / "go" / "go.mod").read_text(encoding="utf-8").split()[1]
    _write(folder / "main.go", _GO % {"module": module})
    required = f"require {module} v0.0.0\nreplace {module} => {FOLDER / 'go'}\n"
    _write(folder / "go.mod", f"module main\n\ngo 1.21\n\n{required}")
    named = {name: str(value) for name, value in options.items()}
    document = dict(zip(("Base", "Key", "Image", "Name"), given, strict=True)) | {"Options": named}
    return _run(["go", "run", ".", json.dumps(document)], folder)


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _run(command: Sequence[str | Path], folder: Path) -> str:
    program = shutil.which(str(command[0]))
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [program, *map(str, command[1:])],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
