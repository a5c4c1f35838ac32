"""Programs of another processor, run by QEMU's user emulation.

The kernel starts the emulator by a program's first bytes (binfmt_misc), and so for each process that a function starts.
A user namespace has rules of its own since Linux 6.7: this machine is not changed. Emulation takes 10 to 20 times as
long, and some memory of its own.
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

RULES = Path("/proc/sys/fs/binfmt_misc")
ELF_MACHINES = {"aarch64": 0xB7, "x86_64": 0x3E}
"""``e_machine`` of an ELF header: EM_AARCH64, EM_X86_64."""

TIMES_SLOWER = 30

_START = "7f454c460201010000000000000000000200"
_MASK = "ffffffffffffff00fffffffffffffffffeffffff"
"""The first 18 bytes of an ELF file before ``e_machine``, and what of the first 20 counts: not the system's name, and a
program or a library."""

_ENTER = """\
mount -t binfmt_misc binfmt_misc {rules} &&
printf %s ':{name}:M::{magic}:{mask}:{emulator}:OPF' > {rules}/register &&
exec "$@"
"""


def is_native(machine: str) -> bool:
    """Whether programs of ``machine``, as Linux names it, run on this machine's processor."""
    return platform.machine() == machine


def build_prefix(machine: str) -> list[str]:
    """Return what goes before a command, so that programs of ``machine`` run in it; nothing if they do anyway.

    FileNotFoundError without the emulator: Debian's package is ``qemu-user``.
    """
    name = f"qemu-{machine}"
    if is_native(machine) or (RULES / name).exists():
        return []
    emulator = shutil.which(name)
    if emulator is None:
        raise FileNotFoundError(f"{name} is not installed")
    magic = _escape(_START + ELF_MACHINES[machine].to_bytes(2, "little").hex())
    script = _ENTER.format(rules=RULES, name=name, magic=magic, mask=_escape(_MASK), emulator=emulator)
    return ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh"]


def _escape(digits: str) -> str:
    return "".join(f"\\x{digits[at : at + 2]}" for at in range(0, len(digits), 2))
