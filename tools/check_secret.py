"""Check the value of a secret with signing keys before it is put: the JSON on standard input.

``python -m tools.check_secret signing|dialects < secret.json``. The exit status is 1 if functions would reject it,
with a line for each mistake. Values are never printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from darkroom.dialects.serving.signing_keys import read_keys
from darkroom.signing_secrets import InvalidSecret, parse_secret, parse_signing_keys

SECRETS: Mapping[str, Callable[[Mapping[str, object]], object]] = {"signing": parse_signing_keys, "dialects": read_keys}
"""The secrets SigningKeysArn and LanguageKeysArn."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_secret", description=__doc__.partition("\n")[0])
    parser.add_argument("secret", choices=SECRETS, help="which secret: SigningKeysArn, or LanguageKeysArn of dialects")
    chosen = parser.parse_args(arguments)
    try:
        SECRETS[chosen.secret](parse_secret(sys.stdin.read()))
    except InvalidSecret as error:
        sys.stderr.writelines(f"{problem}\n" for problem in error.problems)
        return 1
    sys.stdout.write("valid\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
