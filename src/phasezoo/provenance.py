"""What a result was made with: code, versions, machine."""

from __future__ import annotations

import ast
import functools
import hashlib
import platform
import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

PACKAGE = "phasezoo"
ROOT = Path(__file__).parent
SCIENCE = {"data", "models", "training", "landscape", "merging", "transfer", "rng.py"}
CARRYING = {"log.py", "device.py", "lease.py"}  # steps that only carry
# cheap, so that any change may run them
JOINING = {"collect", "phases", "learning", "explained", "collect_regions", "publish", "report"}
_TRAINING = ("training/population.py", "models/build.py", "data/task.py")
_QUOTED = re.compile(  # texts and comments, whichever begins first
    r'"{3}(?:\\.|[^\\])*?"{3}'
    r"|'{3}(?:\\.|[^\\])*?'{3}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'(?:\\.|[^'\\])*'"
    r"|#[^\n]*",
    re.DOTALL,
)
STACK = ("numpy", "scipy", "scikit-learn", "torch", "xarray", "zarr", "netCDF4")


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries that decide numbers."""
    found = {"python": platform.python_version()}
    return found | {name: metadata.version(name) for name in (PACKAGE, *STACK)}


def machine() -> dict[str, str]:
    """Kind of machine, without its name."""
    return {"system": platform.system(), "processor": platform.machine()}


def code_digest(step: str) -> str:
    """Digest of the code that decides what a step writes: its module and all it imports from here.

    Snakemake does not see edits to imported modules, so cheap rules carry this as a param.
    Comments, docstrings and blank lines do not count. For steps that measure, neither do modules
    that only carry bytes or check what is wanted (store, spec): a new variable or key elsewhere
    must not measure a finished zoo again.

    Raises:
        ValueError: there is no such step.
    """
    start = ROOT / "steps" / f"{step}.py"
    if not start.exists():
        known = ", ".join(sorted(p.stem for p in start.parent.glob("[a-z]*.py")))
        raise ValueError(f"step: got '{step}', known are {known}")
    found = _imported_by(start)
    return _digest(found if step in JOINING else [path for path in found if _decides(path)])


@functools.cache
def recipe_digest() -> str:
    """Digest of the code that decides trained weights: tasks, networks, training, chance."""
    starts = [ROOT / path for path in _TRAINING]
    found = {path for start in starts for path in _imported_by(start)}
    return _digest([path for path in found if _decides(path)])


def _decides(path: Path) -> bool:
    """Whether numbers depend on a module."""
    folder, *inner = path.relative_to(ROOT).parts
    return folder in SCIENCE or (folder == "steps" and inner[0] not in CARRYING)


def _imported_by(start: Path) -> list[Path]:
    """A module and all of this package that it imports, directly or not."""
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _read(path)[1]
    return list(seen)


def _digest(files: Iterable[Path]) -> str:
    text = "\n".join(
        f"{path.relative_to(ROOT).as_posix()} {_read(path)[0]}" for path in sorted(files)
    )
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


@functools.cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Digest of one file without comments, and the files of this package that it imports."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return hashlib.blake2b(text.encode()).hexdigest(), _templates(path, text)
    tree = ast.parse(text)
    imported = {found for name in _imported_names(tree) if (found := _file_of(name))}
    code = _bare(text, tree)
    imported |= set(_templates(path, code))
    return hashlib.blake2b(code.encode()).hexdigest(), tuple(sorted(imported))


def _templates(path: Path, text: str) -> tuple[Path, ...]:
    """The templates that a module or a template names; they lie beside it."""
    named = re.findall(r"[\"']([\w.]+\.jinja)[\"']", text)
    return tuple(sorted({path.parent / name for name in named}))


def _bare(text: str, tree: ast.Module) -> str:
    """Source without comments, docstrings and blank lines.

    Made from the text and not from the syntax tree, which other versions of Python write in
    another way: the digest of a published zoo must be the same everywhere.
    """
    lines = _without_comments(text).splitlines()
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in _statements(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            for row in range(first.lineno, (first.end_lineno or first.lineno) + 1):
                lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _without_comments(text: str) -> str:
    """Source without comments, line by line: what stands between quotes is none.

    Python's own tokenizer finds the same, and takes longer than the rest of building a DAG.
    """
    return _QUOTED.sub(lambda found: "" if found[0].startswith("#") else found[0], text)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all statements in it: what is imported or documented is never an expression."""
    yield node
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, field, ()):
            yield from _statements(inner)


def _imported_names(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in _statements(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return [name for name in names if name.startswith(f"{PACKAGE}.")]


def _file_of(name: str) -> Path | None:
    """The file of a module of this package; None for anything else."""
    stem = ROOT.joinpath(*name.split(".")[1:])
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.exists():
            return path
    return None
