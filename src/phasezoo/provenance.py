"""What a result was made with: code, versions, machine."""

from __future__ import annotations

import ast
import functools
import hashlib
import platform
import re
from importlib import metadata
from pathlib import Path

PACKAGE = "phasezoo"
ROOT = Path(__file__).parent
STACK = ("numpy", "scipy", "scikit-learn", "torch", "xarray", "zarr", "netCDF4")


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries that decide numbers."""
    found = {"python": platform.python_version()}
    return found | {name: metadata.version(name) for name in (PACKAGE, *STACK)}


def machine() -> dict[str, str]:
    """Kind of machine, without its name."""
    return {"system": platform.system(), "processor": platform.machine()}


def code_digest(step: str) -> str:
    """Digest of the code that a step runs: its module and all it imports from this package.

    Snakemake does not see edits to imported modules, so cheap rules carry this as a param.
    Comments, docstrings and layout do not count.

    Raises:
        ValueError: there is no such step.
    """
    start = ROOT / "steps" / f"{step}.py"
    if not start.exists():
        known = ", ".join(sorted(p.stem for p in start.parent.glob("[a-z]*.py")))
        raise ValueError(f"step: got '{step}', known are {known}")
    seen: dict[Path, str] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen[path], imported = _read(path)
            waiting += imported
    text = "\n".join(f"{path.relative_to(ROOT)} {seen[path]}" for path in sorted(seen))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


@functools.cache
def _read(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Digest of one file without comments, and the files of this package that it imports."""
    if path.suffix != ".py":
        return hashlib.blake2b(path.read_bytes()).hexdigest(), ()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {found for name in _imported_names(tree) if (found := _file_of(name))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    text = ast.unparse(tree)
    imported |= {path.parent / name for name in re.findall(r"'([\w.]+\.jinja)'", text)}
    return hashlib.blake2b(text.encode()).hexdigest(), tuple(sorted(imported))


def _imported_names(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
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
