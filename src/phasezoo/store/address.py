"""Where a zoo lies: a folder, or an address that fsspec can read (http, https, s3, ...)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr
from zarr.abc.store import ByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore

from phasezoo.vocabulary import PhasezooError


class ZooError(PhasezooError):
    """A zoo cannot be opened or read, or has no such model."""


class Remote(FsspecStore):  # type: ignore[misc]  # zarr is not followed by the type checker
    """A store at an address; whatever fails is one line that names the address and the cause.

    The file systems of fsspec share no class of errors (aiohttp's are no OSError, those of S3
    come from botocore), so every error of theirs is caught. A missing file is no error: where
    nothing was written Zarr has no file.
    """

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """The bytes of a file or of a range of it; None where there is no file.

        Raises:
            ZooError: they cannot be read, or the server sends other bytes than the range.
        """
        url = self.fs.unstrip_protocol(f"{self.path}/{key}")
        try:
            found = await super().get(key, prototype, byte_range)
        except Exception as problem:
            raise _unreadable(url, problem) from None
        wanted = _length(byte_range)
        if found is not None and wanted is not None and len(found) != wanted:
            raise ZooError(
                f"{url}: got {len(found)} bytes, asked for {wanted} of them; allowed is a server "
                f"with byte ranges (nginx has them, Python's http.server has not)"
            )
        return found


def open_nodes(path: str | Path) -> xr.DataTree:
    """Open a store as a tree without indexes, so that only its metadata are read.

    Args:
        path: of a folder, or an address such as ``https://host/zoos/NAME.zarr``; one request.

    Raises:
        ZooError: there is no store, or it cannot be read.
    """
    where: str | Path | Remote = _remote(str(path)) if "://" in str(path) else path
    # an address cannot be listed, so all metadata have to be in its root
    only: dict[str, Any] = {"consolidated": True} if isinstance(where, Remote) else {}
    options = {"chunks": None, "create_default_indexes": False, "zarr_format": 3, **only}
    try:
        return xr.open_datatree(where, engine="zarr", **options)
    except (FileNotFoundError, ValueError, KeyError) as problem:
        cause = "no zarr.json there" if isinstance(problem, FileNotFoundError) else problem
        raise ZooError(f"{path}: not a zoo ({cause}); allowed is a zoos/NAME.zarr") from None


def _remote(url: str) -> Remote:
    try:
        store: Remote = Remote.from_url(url.rstrip("/"), read_only=True)
    except Exception as problem:  # no package for its scheme, or it connects here already
        raise _unreadable(url, problem) from None
    return store


def _unreadable(url: str, problem: Exception) -> ZooError:
    cause = " ".join(str(problem).split()) or type(problem).__name__
    return ZooError(f"{url}: cannot be read ({cause}); allowed is a zoos/NAME.zarr in reach")


def _length(byte_range: ByteRequest | None) -> int | None:
    """How many bytes a range holds, where that is known without the file."""
    match byte_range:
        case RangeByteRequest():
            return int(byte_range.end - byte_range.start)
        case SuffixByteRequest():
            return int(byte_range.suffix)
        case _:
            return None
