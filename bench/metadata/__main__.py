"""What metadata costs a file: ``python -m bench.metadata``.

Prints the bytes that rights and Content Credentials add to a file of 800 px, and the CPU time of adding them, by
format; and what reading the Content Credentials of an upload costs.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec

from darkroom.imaging.formats.metadata.locate import embed_rights
from darkroom.imaging.formats.metadata.rights import NO_RIGHTS, Rights
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom_pipeline.content_credentials.reader import read_credentials
from darkroom_pipeline.content_credentials.signer import ManifestSigner, SigningKey
from darkroom_pipeline.services.manifests import Parent
from local.signing_certificate import issue_chain, write_private_key

from ..images import make_images

FORMATS = ("jpeg", "png", "webp", "avif", "gif")
WIDTH_PX = 800
SMALL_PX = 100
ROUNDS = 30

RIGHTS: Mapping[str, Rights] = {
    "creator and copyright": Rights(creator="Ann Example", copyright="© 2026 Ann Example"),
    "all fields": Rights(
        "Ann Example; Bob Example",
        "© 2026 Ann Example",
        "Example Agency",
        "https://example.com/licences/editorial",
        "Example Agency Ltd",
        "https://example.com/licences/buy",
        "trainedAlgorithmicMedia",
    ),
}


def measure_cpu_ms(call: Callable[[], object]) -> float:
    """Return the median CPU time of ``call``."""
    found = []
    for _ in range(ROUNDS):
        started_s = time.process_time()
        call()
        found.append((time.process_time() - started_s) * 1000)
    return median(found)


def list_rights_costs(photograph: bytes) -> list[str]:
    """Return a line for each format and set of rights."""
    lines = []
    for form in FORMATS:
        plan = Plan("a", width=WIDTH_PX, format=form)
        body = render(plan, Source.from_bytes(photograph), limits=Limits()).body
        for name, rights in RIGHTS.items():
            added = len(embed_rights(body, form, rights)) - len(body)
            cpu_ms = measure_cpu_ms(partial(embed_rights, body, form, rights))
            lines.append(f"{form:5} {len(body):8,} bytes  + {added:5,} bytes, {cpu_ms:.2f} ms  {name}")
    return lines


IMPORT = """
import time
def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) / 256
before_mib, before_s = resident_mib(), time.process_time()
import c2pa
print((time.process_time() - before_s) * 1000, resident_mib() - before_mib)
"""


def measure_import() -> tuple[float, float]:
    """Return the CPU time in ms, and the memory in MiB, of the import of the library, whose file is cached by then."""
    done = [subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, check=True) for _ in range(5)]
    found = [[float(number) for number in one.stdout.split()] for one in done]
    return median(cpu_ms for cpu_ms, _ in found), median(memory_mib for _, memory_mib in found)


def list_credentials_costs(photograph: bytes) -> list[str]:
    """Return a line for the import, for reading, and for each format and place of the manifest."""
    import_ms, import_mib = measure_import()
    key = ec.generate_private_key(ec.SECP256R1())
    chain, _ = issue_chain(key.public_key())
    signer = ManifestSigner(_Known(SigningKey("es256", chain, write_private_key(key))), _connect_nothing)
    upload = signer(Plan("a"), photograph, "image/jpeg", Parent("0" * 64, "image/jpeg", b"")).body
    read_ms = measure_cpu_ms(partial(read_credentials, upload, "image/jpeg"))
    manifest = read_credentials(upload, "image/jpeg").manifest
    parents = {"parent's hash": b"", "parent's manifest": manifest}
    lines = [
        f"import {import_ms:.0f} ms, {import_mib:.0f} MiB",
        f"read   {len(upload):,} bytes: {read_ms:.2f} ms; manifest {len(manifest):,} bytes",
    ]
    for form in FORMATS:
        plan = Plan("a", width=WIDTH_PX, format=form)
        body = render(plan, Source.from_bytes(photograph), limits=Limits()).body
        for name, found in parents.items():
            sign = partial(signer, plan, body, f"image/{form}", Parent("0" * 64, "image/jpeg", found))
            added = len(sign().body) - len(body)
            lines.append(f"{form:5} {len(body):8,} bytes  + {added:6,} bytes, {measure_cpu_ms(sign):.2f} ms  {name}")
    parent = Parent("0" * 64, "image/jpeg", manifest)
    return lines + list_address_costs(photograph, replace(signer, base_url="https://img.example.com"), parent)


def list_address_costs(photograph: bytes, signer: ManifestSigner, parent: Parent) -> list[str]:
    """Return a line for each format of small files with and without rights, which name where their manifest is."""
    lines = []
    for form in (name for name in FORMATS if name != "gif"):
        plan = Plan("a", width=SMALL_PX, format=form)
        plain = render(plan, Source.from_bytes(photograph), limits=Limits()).body
        for name, rights in {"no rights": NO_RIGHTS, **RIGHTS}.items():
            body = embed_rights(plain, form, rights)
            made = signer(plan, body, f"image/{form}", parent)
            sizes = f"{len(body):8,} bytes  + {len(made.body) - len(body):6,} bytes"
            lines.append(f"{form:5} {sizes}, manifest of {len(made.manifest):,} bytes elsewhere  {name}")
    return lines


class _Known:
    """A secret that is known."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def get(self) -> SigningKey:
        return self._key


def _connect_nothing() -> object:
    raise AssertionError("the key is not in KMS")


def main() -> None:
    """Print all costs."""
    photograph = make_images()[0].read_bytes()
    lines = ["Rights", *list_rights_costs(photograph), "Content Credentials", *list_credentials_costs(photograph)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
