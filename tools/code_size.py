"""Print lines, files and import cycles by package, and words of documents: ``python -m tools.code_size``.

``code`` is lines without blank lines, comments and docstrings; ``lines`` is what ``wc -l`` counts. ``layer`` is the
distribution of all functions, and ``core`` that without the packages that the core never imports.
"""

from __future__ import annotations

import ast
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ROOT / "layers"
DISTRIBUTIONS = {
    "darkroom": LAYERS / "darkroom",
    "darkroom_pipeline": LAYERS / "pipeline",
    "darkroom_dialects": LAYERS / "dialects",
    "darkroom_analysis": LAYERS / "analysis",
}
"""Packages of layers, with the folders that they are imported from."""

OPTIONAL = ("overlays", "origins")
"""Packages of the layer that its core never imports."""

ANY_NAME = "*"

TOOLING = ("cli", "local", "cloudfront_local", "observability", "chaos", "gameday", "bench", "tools")
OTHERS = ("functions", *TOOLING, "tests")

DOCS = ROOT / "docs"

_MARKER = re.compile(r"<!-- ((?:(?!-->).)*?)(?: -->)?")
"""A line that is nothing but a comment: it begins what a command writes, or ends it with "/" or "end of"."""


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
    """Find groups of modules that import each other in a circle.

    Imports inside functions, under ``TYPE_CHECKING`` and by a name in a string count like any other.
    """
    import grimp
    import networkx

    graph = grimp.build_graph(*packages, cache_dir=None, exclude_type_checking_imports=False)
    edges = [(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)]
    edges += [(one, other) for one, other in find_string_imports(*packages) if other in graph.modules]
    groups = networkx.strongly_connected_components(networkx.DiGraph(edges))
    return sorted(sorted(group) for group in groups if len(group) > 1)


def find_string_imports(*packages: str) -> list[tuple[str, str]]:
    """Find modules of ``packages`` that import another one by its name in a string, with each that the name can be."""
    modules = {module: path for name in packages for module, path in _modules(name)}
    return [
        (module, other)
        for module, path in modules.items()
        for pattern in _imported_names(path.read_text(encoding="utf-8"), module, is_package=path.stem == "__init__")
        for other in modules
        if pattern.fullmatch(other)
    ]


def _modules(package: str) -> Iterator[tuple[str, Path]]:
    found = find_spec(package)
    assert found is not None, package
    for folder in map(Path, found.submodule_search_locations or ()):
        for path in _sources(folder):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join((package, *(part for part in parts if part != "__init__"))), path


def _imported_names(source: str, module: str, *, is_package: bool) -> Iterator[re.Pattern[str]]:
    """Yield the names of modules that the code loads by a string; ``{...}`` in one is any name without a dot."""
    for node in ast.walk(ast.parse(source)):
        loads = isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__"))
        if not isinstance(node, ast.Call) or not loads or not node.args:
            continue
        name = _read_text(node.args[0])
        level = len(name) - len(name.lstrip("."))
        if level:
            parents = module.split(".")
            name = ".".join(parents[: len(parents) + is_package - level]) + "." + name[level:]
        yield re.compile("[^.]+".join(map(re.escape, name.split(ANY_NAME))))


def _read_text(name: ast.expr) -> str:
    """Return the text of a string, "" for another expression; :data:`ANY_NAME` stands for what is inserted into it."""
    if isinstance(name, ast.JoinedStr):
        return "".join(_read_text(part) or ANY_NAME for part in name.values)
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""


def list_sizes() -> Iterator[tuple[str, Size]]:
    """Measure the layer of all functions, its core, its packages, the other distributions, and the other folders."""
    layer = DISTRIBUTIONS["darkroom"] / "darkroom"
    packages = {path.name: measure_folder(path) for path in sorted(layer.iterdir()) if path.is_dir()}
    packages = {name: size for name, size in packages.items() if size.files}
    top = sum((measure_file(path.read_text(encoding="utf-8")) for path in sorted(layer.glob("*.py"))), Size())
    total = sum(packages.values(), top)
    yield "layer", total
    yield "core", sum((size for name, size in packages.items() if name not in OPTIONAL), top)
    yield from ((f"darkroom.{name}", size) for name, size in packages.items())
    yield from ((name, measure_folder(folder / name)) for name, folder in DISTRIBUTIONS.items() if name != "darkroom")
    yield from ((name, measure_folder(ROOT / name)) for name in OTHERS if (ROOT / name).is_dir())


def count_words(pages: Iterable[str]) -> tuple[int, int]:
    """Count the words of pages that people write, and those of the parts that commands write."""
    written = generated = 0
    for page in pages:
        inside = False
        for line in page.splitlines():
            if marker := _MARKER.fullmatch(line.strip()):
                inside = not marker[1].startswith(("/", "end of "))
            elif inside:
                generated += len(line.split())
            else:
                written += len(line.split())
    return written, generated


def count_documents() -> tuple[int, int]:
    """Count the words of ``docs/`` that people write, and of what commands write there."""
    return count_words(path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md")))


def main() -> None:
    """Print the table, the cycles and the words."""
    sys.path[:0] = [str(ROOT), *map(str, DISTRIBUTIONS.values())]
    sys.stdout.write(f"{'package':24} {'files':>6} {'lines':>7} {'code':>7}\n")
    for name, size in list_sizes():
        sys.stdout.write(f"{name:24} {size.files:6} {size.lines:7} {size.code:7}\n")
    cycles = find_cycles(*DISTRIBUTIONS, *TOOLING)
    sys.stdout.write(f"import cycles: {len(cycles)}\n")
    for cycle in cycles:
        sys.stdout.write("  " + " <-> ".join(cycle) + "\n")
    sys.stdout.write("documents: {:,} words, and {:,} that commands write\n".format(*count_documents()))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end silently when the reader of a pipe does, as with `| head`
    main()
