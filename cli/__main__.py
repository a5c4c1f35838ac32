"""``python -m cli``, and ``python /path/of/the/checkout/cli``, which is how ``./darkroom`` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if sys.path[0] == str(ROOT / "cli"):  # the folder was run: its modules are those of a package
    sys.path[0] = str(ROOT)

try:
    from cli.main import main
except ModuleNotFoundError as missing:
    remedy = f"make -C {ROOT} .local/venvs/commands/.ready"
    sys.stderr.write(f"darkroom: the package {missing.name} is not installed. Run: {remedy}\n")
    sys.exit(1)
except KeyboardInterrupt:
    sys.stderr.write("darkroom: interrupted\n")
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
