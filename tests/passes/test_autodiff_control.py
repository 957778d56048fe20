"""Derivatives through control flow: every form, in every other, to second order."""

from __future__ import annotations

import numpy as np
import pytest

from .control_programs import FORMS, smooth
from .differentiation import check_derivatives, make

X = np.array([0.4, 0.9])
W = np.array([0.3, 0.7])


@pytest.mark.parametrize("name", FORMS)
def test_derivatives_to_second_order(name: str):
    function = make(FORMS[name](smooth), X, W)
    check_derivatives(function, [X, W], order=2)


@pytest.mark.parametrize("inner", FORMS)
@pytest.mark.parametrize("outer", FORMS)
def test_derivatives_of_forms_in_forms(outer: str, inner: str):
    function = make(FORMS[outer](FORMS[inner](smooth)), X, W)
    check_derivatives(function, [X, W], tolerance=1e-6)
