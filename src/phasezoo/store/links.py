"""Files that are there twice and lie on the disk once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def link(source: str | Path, target: str | Path) -> None:
    """Hard-link a file; copy it where links are impossible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: Path, target: Path) -> None:
    """Link every file of a folder into a new one."""
    shutil.copytree(source, target, copy_function=link)
