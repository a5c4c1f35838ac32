"""Compress pixels by basisu, the encoder of Basis Universal, in a process with limited memory and time.

basisu reads the pixels from a PNG that :mod:`.converter` has written: no bytes of a client reach it. It runs without
threads: when it ends, it can miss the wake-up of a thread, and waits for it until the timeout.
"""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from darkroom import VERSION
from darkroom.errors import DarkroomError, TooSlow, Unavailable

from .container import BT709, LINEAR, SRGB, UNSPECIFIED, Texture, count_levels, parse_texture, set_colour, write_texture
from .request import Codec, Space, TextureOptions

MEMORY_BYTES = 1_200_000_000
"""Address space of the encoder, more than 2,048 × 2,048 px need."""

CPU_S = 15
"""Processor time of one encode, the limit that counts against an image. It is less than the elapsed time, so that one
processor reaches it."""

TIMEOUT_S = 17.0
"""Elapsed time of one encode. With that of the render it is below the function's timeout."""

COLOUR_MODELS = {Codec.ETC1S: 163, Codec.UASTC: 166}
"""``KHR_DF_MODEL_ETC1S`` and ``KHR_DF_MODEL_UASTC``."""

_CODEC = {
    Codec.ETC1S: ("-q", "128", "-comp_level", "1"),
    Codec.UASTC: ("-uastc", "-uastc_level", "1", "-ktx2_zstandard_level", "9"),
}
"""``python -m extensions.textures.bench`` measures sizes, times and scores of these levels."""

_COLOURS = {Space.SRGB: (BT709, SRGB), Space.LINEAR: (UNSPECIFIED, LINEAR)}
"""Primaries and transfer function of colours and of data, as glTF's extension KHR_texture_basisu requires them."""

_SPACE = {Space.SRGB: (), Space.LINEAR: ("-linear",)}
_LIMITED = 'ulimit -v "$1" && ulimit -S -t "$2" && ulimit -H -t "$(($2 + 1))" || exit 99; shift 2; exec "$@"'
"""A shell sets the limits: code between fork and exec of a process with threads is unsafe."""

_TOO_LONG = -signal.SIGXCPU
"""Status of a process that reached the soft limit of its processor time."""

_LOG_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Encoder:
    """Runs ``program``, the executable basisu."""

    program: Path
    memory_bytes: int = MEMORY_BYTES
    cpu_s: int = CPU_S
    timeout_s: float = TIMEOUT_S

    def encode(self, png: bytes, options: TextureOptions, width: int, height: int) -> bytes:
        """Return the KTX2 file of ``png``, an image of ``width`` × ``height`` px, with all mip levels.

        Levels are filtered in linear light if the image is sRGB. Raises TooSlow for too much processor time,
        Unavailable after the timeout or if the program cannot be run or fails, DarkroomError for a result that is not
        as expected.
        """
        with TemporaryDirectory(prefix="texture-") as folder:
            source, target = Path(folder, "pixels.png"), Path(folder, "texture.ktx2")
            source.write_bytes(png)
            self._run(source, target, options)
            try:
                texture = parse_texture(target.read_bytes())
            except (OSError, ValueError) as error:
                raise DarkroomError(detail=f"basisu wrote no texture: {error}") from error
        _check(texture, options, width, height)
        return write_texture(_describe(texture, options))

    def _run(self, source: Path, target: Path, options: TextureOptions) -> None:
        mipmaps = ("-mipmap", "-mip_clamp", "-mip_smallest", "1")
        command = [
            *("/bin/sh", "-c", _LIMITED, "sh", str(self.memory_bytes // 1024), str(self.cpu_s)),
            str(self.program),
            *("-ktx2", *_CODEC[options.codec], *_SPACE[options.space], *mipmaps, "-no_multithreading"),
            *("-file", str(source), "-output_file", str(target)),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - no word of the command is a client's
                command,
                check=False,
                capture_output=True,
                timeout=self.timeout_s,
                env={"MALLOC_ARENA_MAX": "1"},
                cwd=source.parent,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(detail=f"basisu took more than {self.timeout_s} s") from error
        except OSError as error:
            raise Unavailable(detail=f"basisu could not be started: {error}") from error
        if done.returncode == _TOO_LONG:
            raise TooSlow(detail=f"basisu took more than {self.cpu_s} s of CPU")
        if done.returncode:
            text = (done.stderr or done.stdout).decode(errors="replace")[-_LOG_CHARACTERS:]
            raise Unavailable(detail=f"basisu ended with {done.returncode}: {text}")


def _check(texture: Texture, options: TextureOptions, width: int, height: int) -> None:
    """Raise DarkroomError if ``texture`` is not what was requested."""
    found = texture.width, texture.height, len(texture.levels), texture.colour_model
    wanted = width, height, count_levels(width, height), COLOUR_MODELS[options.codec]
    if found != wanted:
        raise DarkroomError(detail=f"basisu wrote {found}, not {wanted}")


def _describe(texture: Texture, options: TextureOptions) -> Texture:
    """Set colour space, orientation (right, down: the first texel is top left) and writer."""
    writer = f"darkroom {VERSION} / {texture.metadata.get('KTXwriter', b'').rstrip(b'\0').decode(errors='replace')}"
    metadata = {**texture.metadata, "KTXorientation": b"rd\0", "KTXwriter": writer.strip(" /").encode() + b"\0"}
    return replace(texture, descriptor=set_colour(texture.descriptor, *_COLOURS[options.space]), metadata=metadata)
