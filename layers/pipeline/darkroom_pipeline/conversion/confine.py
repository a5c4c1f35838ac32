"""Limits that a decoder sets on its own process, before it reads untrusted bytes. Imports no library of images."""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Callable
from typing import Any

from .exit_codes import DAMAGED, FAULTY, NO_MEMORY

_CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "getpid": (39, 172),
    "exit": (60, 93),
    "fcntl": (72, 25),
    "getcwd": (79, 17),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "exit_group": (231, 94),
    "getrandom": (318, 278),
    "rseq": (334, 293),
}
"""Numbers of the allowed system calls on x86_64 (arch/x86/entry/syscalls/syscall_64.tbl) and on aarch64
(include/uapi/asm-generic/unistd.h)."""

_THREAD_CALLS = {"set_robust_list": (273, 99), "clock_nanosleep": (230, 115)}
"""Further calls of processes with threads."""

_CLONE, _CLONE3, _PRLIMIT, _SECCOMP = (56, 220), (435, 435), (302, 261), (317, 277)
"""Calls whose arguments are compared, and the one that installs the filter."""
_CLONE_THREAD = 0x10000

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""``AUDIT_ARCH_*``, and which of the numbers applies, by the machine's name."""

_LOAD, _EQUAL, _HAS_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
"""Instructions of classic BPF: load a word of the call, compare it with a constant, test bits of it, return."""
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_LOW_AT, _FIRST_HIGH_AT = 0, 4, 16, 20
"""Offsets in ``struct seccomp_data``: the last two are the halves of the first argument, little endian."""
_ALLOW, _FAIL, _MISSING, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
"""``SECCOMP_RET_ALLOW``, ``SECCOMP_RET_ERRNO`` with EPERM and with ENOSYS, ``SECCOMP_RET_KILL_PROCESS``."""
_PR_SET_NO_NEW_PRIVS, _SET_MODE_FILTER, _ALL_THREADS = 38, 1, 1
"""The last two are ``SECCOMP_SET_MODE_FILTER`` and ``SECCOMP_FILTER_FLAG_TSYNC``."""
_CHUNK_BYTES = 1 << 20


def read_input() -> bytes:
    """Return all of standard input."""
    pieces = list[bytes]()
    while piece := os.read(0, _CHUNK_BYTES):
        pieces.append(piece)
    return b"".join(pieces)


def main(prepare: Callable[[list[str]], Callable[[Any], bytes]], read: Callable[[], Any] = read_input) -> None:
    """Confine this process and write what the prepared decoder returns for what ``read`` returns, by default bytes.

    ``prepare`` gets the arguments of the decoder, and loads all that it needs. Exit code: :mod:`.exit_codes`.
    """
    memory_bytes, output_bytes, cpu_s, threads, *arguments = sys.argv[1:]
    decode = prepare(arguments)
    set_limits(int(memory_bytes), int(output_bytes), int(cpu_s), threads=threads == "1")
    forbid_system_calls(threads=threads == "1")
    try:
        _write(decode(read()))
    except MemoryError:
        code = NO_MEMORY
    except ImportError as error:  # ``prepare`` has not loaded it: no fault of the bytes
        _report(repr(error))
        code = FAULTY
    except Exception as error:  # whatever a decoder raises for damaged bytes
        _report(repr(error))
        code = NO_MEMORY if "memory" in str(error).lower() else DAMAGED
    else:
        code = 0
    os._exit(code)  # nothing of the interpreter's end needs to run


def set_limits(memory_bytes: int, output_bytes: int, cpu_s: int, *, threads: bool) -> None:
    """Limit address space, sizes of written files and CPU time. Without ``threads``, none can be started."""
    limits = {resource.RLIMIT_AS: memory_bytes, resource.RLIMIT_FSIZE: output_bytes, resource.RLIMIT_CORE: 0}
    if not threads:
        limits[resource.RLIMIT_NPROC] = 0
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))


def limit_memory(memory_bytes: int) -> None:
    """Lower the limit of address space to what the file needs; a confined process may do so, too."""
    most = min(memory_bytes, resource.getrlimit(resource.RLIMIT_AS)[1])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def forbid_system_calls(*, threads: bool) -> bool:
    """Allow the system calls of :data:`_CALLS` alone; others fail with EPERM. Return whether that is in force.

    It holds for all threads of the process. It may look up and lower limits of its own, and start ``threads``. Kernels
    without seccomp, and systems that refuse it, keep the other limits.
    """
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        return False
    architecture, which = _ARCHITECTURES[machine]
    program = _build_program(architecture, which, threads=threads)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    filtered = ctypes.create_string_buffer(header, len(header))
    return not libc.syscall(_SECCOMP[which], _SET_MODE_FILTER, _ALL_THREADS, filtered)


def _build_program(architecture: int, which: int, *, threads: bool) -> bytes:
    """Return the filter: another architecture ends the process, an allowed call jumps to the end."""
    steps = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL)]
    steps.append((_LOAD, 0, 0, _NUMBER_AT))
    steps += [  # limits of process 0, which is the caller
        (_EQUAL, 0, 6, _PRLIMIT[which]),
        (_LOAD, 0, 0, _FIRST_LOW_AT),
        (_EQUAL, 0, 2, 0),
        (_LOAD, 0, 0, _FIRST_HIGH_AT),
        (_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _FAIL),
        (_RETURN, 0, 0, _ALLOW),
    ]
    allowed = _CALLS | (_THREAD_CALLS if threads else {})
    if threads:
        steps += [  # arguments of clone3 are in memory, where no filter sees them: the C library then uses clone
            (_EQUAL, 0, 1, _CLONE3[which]),
            (_RETURN, 0, 0, _MISSING),
            (_EQUAL, 0, 4, _CLONE[which]),
            (_LOAD, 0, 0, _FIRST_LOW_AT),
            (_HAS_BITS, 1, 0, _CLONE_THREAD),
            (_RETURN, 0, 0, _FAIL),
            (_RETURN, 0, 0, _ALLOW),
        ]
    calls = sorted(numbers[which] for numbers in allowed.values())
    steps += [(_EQUAL, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _FAIL), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def _report(text: str) -> None:
    os.write(2, text.encode(errors="replace")[-1000:])
