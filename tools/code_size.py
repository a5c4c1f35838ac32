"""Print lines, files and import cycles by package: ``python -m tools.code_size``.

``code`` is lines without blank lines, comments and docstrings; ``lines`` is what ``wc -l`` counts. ``core`` is the
layer without the packages that the core never imports.
"""

from __future__ import annotations

import ast
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYER = ROOT / "layers" / "darkroom"
OPTIONAL = (
    "dialects",
    "mlops",
    "bulk",
    "models",
    "operations",
    "content_credentials",
    "overlays",
    "reencode",
    "review",
    "inference",
    "origins",
    "experiments",
    "textures",
    "conversion",
)
"""Packages of the layer that its core never imports."""

TOOLING = ("cli", "local", "cloudfront_local", "observability", "chaos", "gameday", "bench", "tools")
OTHERS = ("functions", *TOOLING, "tests")


@dataclass(frozen=True, slots=True)
class Size:
    """Size of source files."""

    files: int = 0
    lines: int = 0
    code: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.files + other.files, self.lines + other.lines, self.code + other.code)


def measure_file(source: str) -> Size:
    """Count the lines of one file."""
    lines = source.splitlines()
    documented: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        for statement in getattr(node, "body", None) or [] if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                documented |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    code = [
        number
        for number, line in enumerate(lines, 1)
        if number not in documented and line.strip() and not line.lstrip().startswith("#")
    ]
    return Size(1, len(lines), len(code))


def measure_folder(folder: Path) -> Size:
    """Add up the Python files below ``folder``."""
    return sum((measure_file(path.read_text(encoding="utf-8")) for path in _sources(folder)), Size())


def _sources(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*.py") if "node_modules" not in path.parts)


def find_cycles(*packages: str) -> list[list[str]]:
    """Find groups of modules that import each other in a circle, imports inside functions included."""
    import grimp
    import networkx

    graph = grimp.build_graph(*packages, cache_dir=None, exclude_type_checking_imports=True)
    edges = [(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)]
    groups = networkx.strongly_connected_components(networkx.DiGraph(edges))
    return sorted(sorted(group) for group in groups if len(group) > 1)


def list_sizes() -> Iterator[tuple[str, Size]]:
    """Measure the layer, its core, its packages, and the other folders."""
    layer = LAYER / "darkroom"
    packages = {path.name: measure_folder(path) for path in sorted(layer.iterdir()) if path.is_dir()}
    packages = {name: size for name, size in packages.items() if size.files}
    top = sum((measure_file(path.read_text(encoding="utf-8")) for path in sorted(layer.glob("*.py"))), Size())
    total = sum(packages.values(), top)
    yield "layer", total
    yield "core", sum((size for name, size in packages.items() if name not in OPTIONAL), top)
    yield from ((f"darkroom.{name}", size) for name, size in packages.items())
    yield from ((name, measure_folder(ROOT / name)) for name in OTHERS if (ROOT / name).is_dir())


def main() -> None:
    """Print the table and the cycles."""
    sys.path[:0] = [str(ROOT), str(LAYER)]
    sys.stdout.write(f"{'package':24} {'files':>6} {'lines':>7} {'code':>7}\n")
    for name, size in list_sizes():
        sys.stdout.write(f"{name:24} {size.files:6} {size.lines:7} {size.code:7}\n")
    cycles = find_cycles("darkroom", *TOOLING)
    sys.stdout.write(f"import cycles: {len(cycles)}\n")
    for cycle in cycles:
        sys.stdout.write("  " + " <-> ".join(cycle) + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end silently when the reader of a pipe does, as with `| head`
    main()
