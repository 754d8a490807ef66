"""A small disk in the place of a folder, which fills up, is grown, or can only be read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_AMPLE = 256 * 2**20  # bytes


class Disk:
    """A file system in memory, mounted over a folder; root only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _mount(self, *options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "faults", str(self.folder)]
        subprocess.run(command, check=True)

    def fill(self, left: int) -> None:
        """Leave so many bytes."""
        used = shutil.disk_usage(self.folder).used
        self._mount("remount", f"size={max(used + left, 4096)}")

    def grow(self) -> None:
        self._mount("remount", f"size={_AMPLE}")

    def freeze(self) -> None:
        """From now on it can only be read."""
        self._mount("remount", "ro")

    def thaw(self) -> None:
        self._mount("remount", "rw")


@contextmanager
def disk_at(folder: Path) -> Iterator[Disk]:
    """Put a disk in the place of a folder, with what is in it; afterwards the folder has it all."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    disk = Disk(folder)
    disk._mount(f"size={_AMPLE}")
    root = folder / "lost+found"  # as disks have; Snakemake would try to remove an empty one
    root.mkdir()
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", folder], check=True)
        shutil.rmtree(aside)
        yield disk
    finally:
        disk._mount("remount", "rw", f"size={_AMPLE}")
        root.rmdir()
        subprocess.run(["cp", "-a", folder, aside], check=True)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
        aside.rename(folder)
