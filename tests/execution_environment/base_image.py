"""The files of AWS's base image for Python 3.13 that a function sees: Debian's, without what AWS's image lacks.

Sources: the packages of ``public.ecr.aws/lambda/python`` on Amazon Linux 2023 (``rpm -qa`` in
amazonlinux/amazon-linux-2023#585), and its ``bootstrap.py``, environment and ``/var/lang``. The environment of a zip
function has fewer libraries than the image: it lacks ``libexpat.so.1`` (developmentseed/eoapi-cdk#182).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.build_cache import build_once
from bench.emulator import RUNTIME_LOCK, compile_bytecode
from local.paths import ROOT
from local.tool_venvs import RUNTIME_PACKAGES, site_packages, uv_install

from .emulation import is_native

WORK = ROOT / ".local" / "execution-environment"
SUITE = "trixie"
PACKAGES = ("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libpython3.13", "bash", "ca-certificates")
"""Debian's, with their dependencies."""

PYTHON = "python3.13"
LIBPYTHON = "libpython3.13.so.1.0"

LIBRARIES = (
    # glibc
    *("libBrokenLocale.so.1", "libanl.so.1", "libc.so.6", "libdl.so.2", "libm.so.6", "libmvec.so.1", "libnss_dns.so.2"),
    *("libnss_files.so.2", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libthread_db.so.1", "libutil.so.1"),
    # libgcc, libstdc++, zlib, ncurses-libs
    *("libgcc_s.so.1", "libstdc++.so.6", "libz.so.1", "libtinfo.so.6"),
    # openssl-libs, libffi, xz-libs, sqlite-libs, libuuid: what modules of Python itself need
    *("libssl.so.3", "libcrypto.so.3", "libffi.so.8", "liblzma.so.5", "libsqlite3.so.0", "libuuid.so.1"),
)
"""Shared libraries in ``/lib64``, by the packages of AWS's image that have them. The image has more (libcurl, libxml2,
glib2, krb5-libs, readline and others), which a wheel for manylinux may not need and no layer may use."""

RENAMED = {"libexpat.so.1": "libexpat-py.1", "libbz2.so.1.0": "libbz2-py.1.0", "libzstd.so.1": "libzstd-py.1"}
"""Libraries that Debian's Python needs and AWS's has within itself, or under another name, with names of equal length
under which no library of a layer finds them."""

EMULATOR = "usr/bin/aws-lambda-rie"
"""Path of AWS's emulator."""

_MAIN = "int Py_BytesMain(int, char **); int main(int count, char **words) { return Py_BytesMain(count, words); }\n"
"""The program ``python3.13``. Debian's has libpython within itself; AWS's finds it by ``LD_LIBRARY_PATH``."""

_BOOTSTRAP = """\
import os, site, sys
import awslambdaric.__main__

task, opt = os.environ["LAMBDA_TASK_ROOT"], "/opt/python"
layers = [] if "PYTHONPATH" in os.environ else [f"{opt}/lib/python3.13/site-packages", opt]
sys.path[:0] = [task, *layers]
for folder in (task, *layers):
    site.addsitedir(folder)
os.environ.setdefault("PYTHONPATH", os.environ["LAMBDA_RUNTIME_DIR"])
awslambdaric.__main__.main([task, os.environ["_HANDLER"]])
"""
"""What ``/var/runtime/bootstrap.py`` of the image does."""

_USER = "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
"""The user of Lambda, whose home does not exist."""


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor of functions: ``name`` as in the template, ``machine`` and ``debian`` as Linux and Debian name it."""

    name: str
    machine: str
    debian: str
    loader: str

    @property
    def is_emulated(self) -> bool:
        """Whether its programs run by an emulator here."""
        return not is_native(self.machine)

    @property
    def triplet(self) -> str:
        """Return the name of its folders of libraries, and the prefix of its compiler."""
        return f"{self.machine}-linux-gnu"


X86_64 = Processor("x86_64", "x86_64", "amd64", "lib64/ld-linux-x86-64.so.2")
ARM64 = Processor("arm64", "aarch64", "arm64", "lib/ld-linux-aarch64.so.1")


def make_base_image(processor: Processor) -> Path:
    """Return the image's root folder. It is made once, and again when this module or AWS's runtime client changes."""
    packages = build_once(WORK / f"debian-{processor.name}", [], lambda folder: _extract(processor, folder), *PACKAGES)
    sources = [Path(__file__), RUNTIME_LOCK]
    return build_once(WORK / f"image-{processor.name}", sources, lambda folder: _fill(processor, packages, folder))


def _extract(processor: Processor, folder: Path) -> None:
    """Extract Debian's packages for ``processor``."""
    options = ["--variant=extract", f"--architectures={processor.debian}", f"--include={','.join(PACKAGES)}"]
    subprocess.run(["mmdebstrap", "--quiet", *options, SUITE, folder / "root"], check=True)


def _fill(processor: Processor, packages: Path, folder: Path) -> None:
    debian = packages / "root" / "usr"
    libraries, lang = debian / "lib" / processor.triplet, folder / "var" / "lang"
    for empty in ("dev", "etc/pki/tls/certs", "opt", "proc", "tmp", "usr/lib64", "usr/bin", "var/task", "var/runtime"):
        (folder / empty).mkdir(parents=True)
    for link in ("lib", "lib64", "bin"):
        (folder / link).symlink_to(f"usr/{link}")
    (folder / EMULATOR).touch()
    shutil.copy(debian / "bin" / "bash", folder / "usr" / "bin" / "bash")
    (folder / "usr" / "bin" / "sh").symlink_to("bash")
    (folder / "usr" / "lib").mkdir()
    (folder / "usr" / "lib" / processor.triplet).symlink_to("../lib64")  # where Debian's loader looks
    for name in (*LIBRARIES, *RENAMED):
        if (libraries / name).exists():  # glibc's libmvec is for one processor
            _copy_library(libraries / name, folder / "usr" / "lib64" / RENAMED.get(name, name))
    loader = folder / "usr" / processor.loader
    shutil.copyfile(libraries / loader.name, loader)
    loader.chmod(0o755)
    shutil.copytree(debian / "lib" / PYTHON, lang / "lib" / PYTHON, ignore=shutil.ignore_patterns("test", "_test*"))
    for module in (lang / "lib" / PYTHON / "lib-dynload").iterdir():
        _copy_library(module, module)
    compile_bytecode(lang / "lib" / PYTHON)
    _copy_library(libraries / LIBPYTHON, lang / "lib" / LIBPYTHON)
    _compile_interpreter(processor, lang, folder / "usr" / "lib64")
    _install_runtime(processor, lang / "lib" / PYTHON / "site-packages")
    (lang / "lib" / "python3").mkdir()
    (lang / "lib" / "python3" / "dist-packages").symlink_to(f"../{PYTHON}/site-packages")  # Debian's name
    (folder / "var" / "runtime" / "bootstrap.py").write_text(_BOOTSTRAP)
    certificates = sorted((debian / "share" / "ca-certificates" / "mozilla").iterdir())
    texts: Mapping[str, str] = {
        "passwd": f"root:x:0:0:root:/root:/bin/bash\n{_USER}",
        "group": "root:x:0:\nsbx_group990:x:990:\n",
        "hosts": "127.0.0.1 localhost\n",
        "nsswitch.conf": "hosts: files dns\n",
        "pki/tls/certs/ca-bundle.crt": "".join(path.read_text() for path in certificates),
    }
    for name, text in texts.items():
        (folder / "etc" / name).write_text(text)


def _copy_library(source: Path, target: Path) -> None:
    """Copy a library, with the names of :data:`RENAMED` in what it is called and what it needs."""
    data = source.read_bytes()
    for name, other in RENAMED.items():
        data = data.replace(f"\0{name}\0".encode(), f"\0{other}\0".encode())
    target.write_bytes(data)
    target.chmod(0o755)


def _compile_interpreter(processor: Processor, lang: Path, libraries: Path) -> None:
    """Compile :data:`_MAIN`, which needs libpython and has no path to it."""
    (lang / "bin").mkdir()
    command = [f"{processor.triplet}-gcc", "-x", "c", "-", "-o", lang / "bin" / PYTHON, "-Wl,--allow-shlib-undefined"]
    library = lang / "lib" / LIBPYTHON
    subprocess.run(
        [*command, f"-Wl,-rpath-link,{libraries}", "-x", "none", library], input=_MAIN, text=True, check=True
    )
    for name in ("python", "python3"):
        (lang / "bin" / name).symlink_to(PYTHON)


def _install_runtime(processor: Processor, site: Path) -> None:
    """Install AWS's runtime client and boto3, as AWS's image has them."""
    platform = f"{processor.machine}-manylinux_2_28"
    options = ["--no-deps", "--only-binary", ":all:", "--python-platform", platform, "--python-version", "3.13"]
    command = [*uv_install(sys.executable), "--require-hashes", *options, "--target", site, "-r", RUNTIME_LOCK]
    subprocess.run(command, check=True)
    for package in RUNTIME_PACKAGES:
        source = site_packages("runtime") / package
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, site / package)
    compile_bytecode(site)
