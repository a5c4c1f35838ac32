"""The process of the SAM CLI, on the interpreter of its environment.

``sam deploy`` packs the layers for one reader on this machine. zlib's fastest level takes half the time of its default,
and the archives are 6 % larger.
"""

from __future__ import annotations

import zipfile
from types import SimpleNamespace
from typing import Any

FASTEST = 1


class FastZipFile(zipfile.ZipFile):
    """A ZipFile that compresses at zlib's fastest level unless a caller names another."""

    def writestr(
        self,
        zinfo_or_arcname: str | zipfile.ZipInfo,
        data: Any,
        compress_type: int | None = None,
        compresslevel: int | None = FASTEST,
    ) -> None:
        """Write a member."""
        super().writestr(zinfo_or_arcname, data, compress_type, compresslevel)


def pack_fast(packaging: Any) -> None:
    """Let the SAM CLI's module ``packaging`` write its archives by :class:`FastZipFile`."""
    packaging.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": FastZipFile})


def main() -> None:
    """Run ``sam`` with the arguments of this process."""
    from samcli.cli.main import cli  # type: ignore[import-not-found]
    from samcli.lib.package import utils  # type: ignore[import-not-found]

    pack_fast(utils)
    cli(prog_name="sam")


if __name__ == "__main__":
    main()
