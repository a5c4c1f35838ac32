"""The process of a decoder: what it returns, what it may not do, and how it ends."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from darkroom.errors import DamagedSource, OverLimits, TooSlow, Unavailable
from darkroom.plan.limits import Limits
from darkroom_pipeline.conversion import sandbox
from darkroom_pipeline.conversion.converter import Converter
from darkroom_pipeline.conversion.formats import FORMATS
from darkroom_pipeline.conversion.sandbox import ProcessLimits
from tests.confined_probe import check_confined, supports_probe, take_over
from tests.waiting import HANG_S

from .files import SIZE, samples

EVERY = Converter(tuple(FORMATS), wall_s=HANG_S)
ROOM = ProcessLimits(600_000_000, 1_000_000, wall_s=HANG_S)

DECODER = """
import os, socket, subprocess, sys
from darkroom_pipeline.conversion.confine import main

def attempt(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"

def decode(data):
    if data == b"burn":
        while True:
            pass
    if data == b"fill":
        return bytes(3_000_000_000)
    if data == b"crash":
        import ctypes
        ctypes.string_at(0)
    if data == b"long":
        return bytes(2_000_000)
    if data == b"odd":
        raise RuntimeError("odd")
    acts = (
        lambda: os.open("/etc/hostname", os.O_RDONLY),
        lambda: os.open("/proc/self/environ", os.O_RDONLY),
        lambda: os.open("/tmp/darkroom-written", os.O_WRONLY | os.O_CREAT),
        lambda: socket.socket(),
        lambda: os.execv("/bin/true", ["true"]),
        lambda: os.fork() or os._exit(0),
        lambda: os.kill(os.getppid(), 0),
        lambda: os.listdir("/"),
    )
    return " ".join(map(attempt, acts)).encode()

main(lambda arguments: decode)
"""


@pytest.fixture
def decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "probing_decoder.py").write_text(DECODER, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "probing_decoder"


@pytest.mark.parametrize("name", ["bmp", "ico", "jp2", *(name for name in samples() if name.startswith("psd"))])
def test_a_file_is_converted(name: str) -> None:
    data = samples()[name]
    header = EVERY.read_header(data, Limits())
    assert header is not None
    image = Image.open(io.BytesIO(EVERY.convert(data, header, Limits())))
    assert image.format == ("JPEG" if name == "psd cmyk" else "PNG")
    assert image.size == ((48, 32) if name == "ico" else SIZE)


def test_a_damaged_file_is_refused() -> None:
    data = bytearray(samples()["jp2"])
    data[1500:] = bytes(len(data) - 1500)
    header = EVERY.read_header(bytes(data), Limits())
    assert header is not None
    with pytest.raises(DamagedSource):
        EVERY.convert(bytes(data), header, Limits())


def test_no_files_sockets_or_programs(decoder: str) -> None:
    """What decoders need is loaded before; a decoder that is taken over has no way out but its result."""
    assert set(sandbox.run(decoder, [], b"", ROOM).decode().split()) == {"PermissionError"}


@pytest.mark.skipif(not supports_probe(), reason="numbers of system calls")
def test_a_decoder_that_is_taken_over_reaches_nothing(tmp_path: Path) -> None:
    check_confined(take_over("darkroom_pipeline.conversion.pillow_worker", ["jp2"], ROOM, tmp_path))


@pytest.mark.skipif(not supports_probe(), reason="numbers of system calls")
@pytest.mark.parametrize("threads", [False, True])
def test_threads_are_started_only_where_they_are_allowed(threads: bool, tmp_path: Path) -> None:
    module = """
import threading
from darkroom_pipeline.conversion.confine import main

def decode(data):
    try:
        threading.Thread(target=len, args=("",)).start()
    except RuntimeError:
        return b"refused"
    return b"started"

main(lambda arguments: decode)
"""
    (tmp_path / "threading_decoder.py").write_text(module, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        found = sandbox.run("threading_decoder", [], b"", replace(ROOM, threads=threads))
    assert found == (b"started" if threads else b"refused")


def test_programs_are_started_by_the_sandbox_alone() -> None:
    """Any other place would be one more sandbox, or none."""
    layers = Path(__file__).resolve().parents[3] / "layers"
    starting = {
        str(file.resolve().relative_to(layers))  # a layer can hold another one's package by a link
        for file in layers.glob("*/*/**/*.py")
        if re.search(
            r"^\s*(import|from) (subprocess|multiprocessing)\b", file.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert starting == {"pipeline/darkroom_pipeline/conversion/sandbox.py"}


def test_a_module_that_is_loaded_too_late_is_no_fault_of_the_file(tmp_path: Path) -> None:
    module = "from darkroom_pipeline.conversion.confine import main\n"
    module += "def decode(data):\n    import colorsys\n    return b''\n"
    (tmp_path / "late_decoder.py").write_text(module + "main(lambda arguments: decode)\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        with pytest.raises(Unavailable):
            sandbox.run("late_decoder", [], b"", ROOM)


def test_no_variables_of_the_function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Except the path of libraries, without which Lambda's Python does not start."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/var/lang/lib")
    module = "import os\nfrom darkroom_pipeline.conversion.confine import main\nnames = ' '.join(os.environ).encode()\n"
    (tmp_path / "listing_decoder.py").write_text(module + "main(lambda _: lambda data: names)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    names = sandbox.run("listing_decoder", [], b"", ROOM)
    assert b"AWS" not in names
    assert b"LD_LIBRARY_PATH" in names.split()


@pytest.mark.parametrize(
    ("data", "limits", "error"),
    [
        (b"burn", ProcessLimits(600_000_000, 1000, cpu_s=1, wall_s=HANG_S), TooSlow),
        (b"fill", ROOM, OverLimits),
        (b"crash", ROOM, DamagedSource),
        (b"long", ROOM, DamagedSource),
        (b"odd", ROOM, DamagedSource),
        (b"burn", ProcessLimits(600_000_000, 1000, wall_s=0.1), Unavailable),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else None,
)
def test_how_a_decoder_ends(decoder: str, data: bytes, limits: ProcessLimits, error: type[Exception]) -> None:
    with pytest.raises(error):
        sandbox.run(decoder, [], data, limits)


def test_a_decoder_that_does_not_start() -> None:
    with pytest.raises(Unavailable, match="right now") as failure:
        sandbox.run("darkroom_pipeline.conversion.no_such_worker", [], b"", ROOM)
    assert "No module named" in failure.value.detail


def test_decoders_load_neither_libvips_nor_libraries_of_aws() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import sys, darkroom_pipeline.conversion.pillow_worker; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    ).stdout.split()
    assert not {"boto3", "pyvips", "numpy"} & set(found)
