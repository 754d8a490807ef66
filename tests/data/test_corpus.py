"""Documents are poured into windows one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from phasezoo.data.corpus import TokenStream

SIZES = [5, 1, 23, 2, 2, 2, 13, 41, 1, 7]  # of the documents


@pytest.mark.parametrize("length", [2, 3, 7, 11])
@pytest.mark.parametrize("windows", [1, 2, 5, 8])
def test_a_window_holds_what_comes_next_and_names_its_first_document(
    length: int, windows: int
) -> None:
    stream = TokenStream(windows, length)
    owners = np.repeat(np.arange(len(SIZES)) + 100, SIZES)
    tokens = np.arange(sum(SIZES), dtype=np.uint16)
    for document in range(100, 100 + len(SIZES)):
        assert stream.full == (np.flatnonzero(owners == document)[0] >= windows * length)
        assert stream.windows == min(windows, np.flatnonzero(owners == document)[0] // length)
        stream.add(document, tokens[owners == document])
    assert stream.full
    assert np.array_equal(stream.tokens, tokens[: windows * length].reshape(windows, length))
    assert np.array_equal(stream.document, owners[: windows * length : length])


def test_what_does_not_fill_a_window_is_no_window() -> None:
    stream = TokenStream(3, 5)
    stream.add(0, np.zeros(14, dtype=np.uint16))
    assert (stream.windows, stream.full) == (2, False)
    stream.add(1, np.zeros(1, dtype=np.uint16))
    assert (stream.windows, stream.full) == (3, True)
