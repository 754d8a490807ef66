"""Addresses and checksums of files on the web, as a spec may give them."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator


def web_address(value: Any) -> str:
    """An address of a file on the web.

    Raises:
        ValueError: what is allowed, when it is none; one with a password would be published.
    """
    if isinstance(value, str) and re.fullmatch(r"https?://[!-~]+", value, re.IGNORECASE):
        try:
            parts = urlsplit(value)
            if parts.hostname and parts.username is None and parts.port != 0:
                return value
        except ValueError:  # no port, no host
            pass
    raise ValueError("an address that begins with http:// or https://, without a password")


def checksum(value: Any) -> str:
    """A SHA-256 checksum in lower case.

    Raises:
        ValueError: what is allowed, when it is none.
    """
    if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value):
        return value.lower()
    raise ValueError("the 64 hexadecimal digits of a SHA-256 checksum")


WebAddress = Annotated[str, BeforeValidator(web_address)]
Sha256 = Annotated[str, BeforeValidator(checksum)]
