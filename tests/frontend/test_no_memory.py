"""A program that needs more memory than there is raises an error."""

from __future__ import annotations

import numpy as np
import pytest

import gradatim as gd


def test_temporaries_without_end() -> None:
    def outer(x):
        table = np.sin(np.add.outer(x, x))
        return np.sum(table[::-1] @ table)

    with pytest.raises(MemoryError, match="not enough memory"):
        gd.stage(outer)(np.ones(1 << 20))
