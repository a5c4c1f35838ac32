"""Names of objects: ``python -m tools.keys encode 'é.jpg'``, ``python -m tools.keys decode .-C3A9.jpg``.

A master that is copied into the media bucket by hand needs its key encoded: ``masters/.-C3A9.jpg``. Without words, the
command reads one per line from its standard input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.errors import BadKey
from darkroom.key_encoding import decode_key, encode_key
from darkroom.plan.keys import check_key


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status, 1 if a word is no key or no encoding of one."""
    parser = argparse.ArgumentParser(prog="python -m tools.keys", description="Encode keys for names of objects.")
    parser.add_argument("direction", choices=("encode", "decode"))
    parser.add_argument("words", nargs="*", help="keys, or encoded keys; without any, the lines of standard input")
    chosen = parser.parse_args(arguments)
    failed = 0
    for word in chosen.words or (line.rstrip("\n") for line in sys.stdin):
        try:
            written = encode_key(check_key(word)) if chosen.direction == "encode" else decode_key(word)
        except BadKey as error:
            sys.stderr.write(f"{word}: {error.message}\n")
            failed = 1
        else:
            sys.stdout.write(f"{written}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
