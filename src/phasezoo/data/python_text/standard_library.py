"""Docstrings and source code of the standard library, read without importing any of it."""

from __future__ import annotations

import ast
import functools
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from phasezoo.data.corpus import CorpusError
from phasezoo.spec.labelled_text import MODULE_GROUPS

# Modules and packages that every Python from 3.11 on has, those of Linux distributions too, in the
# groups of `MODULE_GROUPS`, which follow the chapters of the library's reference.
_GROUPS: dict[str, str] = dict(
    zip(
        MODULE_GROUPS,
        (
            "asyncio concurrent multiprocessing queue sched selectors signal subprocess threading",
            "email ftplib html http imaplib ipaddress mailbox mimetypes netrc poplib smtplib "
            "socket socketserver ssl urllib wsgiref xml xmlrpc",
            "ast bdb cProfile code codeop dis doctest importlib inspect linecache modulefinder pdb "
            "pkgutil profile pstats pyclbr pydoc symtable timeit tokenize trace traceback "
            "tracemalloc unittest zipapp",
            "_pydecimal argparse bisect calendar collections configparser copy csv dataclasses "
            "datetime difflib enum fractions functools heapq json logging numbers operator pickle "
            "plistlib pprint random shelve statistics string textwrap typing weakref",
        ),
        strict=True,
    )
)
_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A module of the standard library.

    Attributes:
        group: its place in `MODULE_GROUPS`.
        docstrings: those of the module, its classes and functions, without their indentation.
        code: the source without them.
        size: of the file, in bytes.
    """

    group: int
    docstrings: str
    code: str
    size: int


@functools.cache
def modules(root: Path | None = None) -> Mapping[str, Module]:
    """The modules of all groups by their path in the standard library, in the order of paths.

    Args:
        root: folder of the standard library; None is that of the Python that runs.

    Raises:
        CorpusError: a module is not there, or cannot be read.
    """
    root = root or Path(sysconfig.get_paths()["stdlib"])
    return dict(sorted(_modules(root)))


def _modules(root: Path) -> Iterator[tuple[str, Module]]:
    for group, names in enumerate(_GROUPS.values()):
        for name in names.split():
            for path in _files(root, name):
                yield path.relative_to(root).as_posix(), _module(group, path)


def _files(root: Path, name: str) -> list[Path]:
    """The file of a module, or all files of a package but its tests."""
    folder, file = root / name, root / f"{name}.py"
    found = [file] if file.is_file() else sorted(folder.rglob("*.py"))
    if not found:
        raise CorpusError(f"python-text: got no {file}; allowed: a whole standard library")
    return [p for p in found if not {"test", "tests"} & set(p.relative_to(root).parts)]


def _module(group: int, path: Path) -> Module:
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError) as problem:
        got = " ".join(str(problem).split())
        raise CorpusError(f"python-text: {path}: got {got}; allowed: a Python file") from None
    documented = [node for node in ast.walk(tree) if isinstance(node, _Documented)]
    found = [d for node in documented if (d := ast.get_docstring(node))]
    code = _without(text, documented)
    return Module(group, "\n\n".join(found), code, len(text.encode()))


def _without(text: str, documented: list[_Documented]) -> str:
    """The source without the lines of docstrings."""
    lines: list[str | None] = list(text.splitlines(keepends=True))
    for node in documented:
        if ast.get_docstring(node) is not None:
            first = node.body[0]
            for line in range(first.lineno - 1, first.end_lineno or first.lineno):
                lines[line] = None
    return "".join(line for line in lines if line is not None)
