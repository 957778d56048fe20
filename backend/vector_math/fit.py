"""Recompute the coefficient tables: ``python -m gradatim.backend.vector_math.fit``.

Each polynomial is a weighted least squares fit at Chebyshev nodes in 100 digits, within a
small factor of the minimax polynomial (Trefethen, Approximation Theory and Approximation
Practice, chapter 16). Coefficients are rounded one after the other, lowest power first, and
the rest is fitted again to make up for it (Brisebarre, Muller and Tisserand, "Computing
machine-efficient polynomial approximations", ACM TOMS 32, 2006, treat this exactly). The
result is written to ``coefficients.py``; the largest weighted error of each is printed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp, mpf  # type: ignore[import-untyped]

from .ranges import ERF_INV_CENTRE, ERF_INV_LARGEST, ERF_INV_TAIL, ERFC_POLE

Real = Any  # mpmath has no type hints

# Decimal digits of the computation.
DIGITS = 100


@dataclass(frozen=True)
class Fit:
    """A polynomial to find: the function, its interval and the terms per precision.

    ``weight`` turns an error of the polynomial into the relative error of the result.
    """

    name: str
    function: Callable[[Real], Real]
    weight: Callable[[Real], Real]
    low: Callable[[], Real]
    high: Callable[[], Real]
    terms: dict[str, int]


def _away_from_zero(function: Callable[[Real], Real]) -> Callable[[Real], Real]:
    """Replace a removable singularity at zero by its neighbourhood."""
    return lambda x: function(x if abs(x) > mpf("1e-24") else mpf("1e-24"))


def _half_log2() -> Real:
    return mp.log(2) / 2


def _log_remainder(z: Real) -> Real:
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def _odd_remainder(function: Callable[[Real], Real], u: Real) -> Real:
    """``P(u)`` of an odd function ``f(r) = r + r**3 P(r**2)``."""
    r = mp.sqrt(u)
    return (function(r) - r) / (r * u)


def _odd_weight(function: Callable[[Real], Real]) -> Callable[[Real], Real]:
    return _away_from_zero(lambda u: u * mp.sqrt(u) / function(mp.sqrt(u)))


def _square_of_quarter_pi() -> Real:
    # A little more, for the quotient is rounded before it is known to be the nearest.
    return (mp.pi / 4) ** 2 * mpf("1.01")


def _scaled_erfc(x: Real) -> Real:
    """``erfc(x) exp(x**2) (x + ERFC_POLE)``, bounded on all positive ``x``."""
    return mp.erfc(x) * mp.exp(x * x) * (x + ERFC_POLE)


def _erf_inv_quotient(w: Real) -> Real:
    """``erf_inv(x) / x`` as a function of ``w = -log(1 - x**2)``."""
    w = max(w, mpf("1e-24"))
    x = mp.sqrt(-mp.expm1(-w))
    complement = mp.exp(-w) / (1 + x)
    y = mp.erfinv(x) if complement > 0.2 else mp.sqrt(-mp.log(complement * mp.sqrt(mp.pi)))
    for _ in range(12):
        y += (mp.erfc(y) - complement) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return y / x


def _erf_inv_tail(precision: str, terms: int) -> Fit:
    """``erf_inv(x) / x`` in ``sqrt(w)``, for large w."""
    shift = mpf(ERF_INV_TAIL[precision])
    return Fit(
        "erf_inv_tail",
        lambda v: _erf_inv_quotient((v + shift) ** 2),
        lambda v: 1 / _erf_inv_quotient((v + shift) ** 2),
        lambda: mp.sqrt(2 * mpf(ERF_INV_CENTRE)) - shift,
        lambda: mp.sqrt(mpf(ERF_INV_LARGEST[precision])) - shift,
        {precision: terms},
    )


def _stirling_remainder(v: Real) -> Real:
    """``(lgamma(x) - ((x - 1/2) log(x) - x + log(2 pi)/2)) x`` for ``v = 1/x**2``."""
    x = 1 / mp.sqrt(v)
    return (mp.loggamma(x) - ((x - mpf("0.5")) * mp.log(x) - x + mp.log(2 * mp.pi) / 2)) * x


def _digamma_remainder(v: Real) -> Real:
    """``(log(x) - 1/(2x) - digamma(x)) x**2`` for ``v = 1/x**2``."""
    x = 1 / mp.sqrt(v)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) * x * x


@functools.cache
def digamma_root() -> Real:
    """The positive zero of digamma."""
    return mp.findroot(mp.digamma, mpf("1.4616321449683623"))


FITS = (
    Fit(
        "exp",
        _away_from_zero(lambda r: (mp.expm1(r) - r) / r**2),
        lambda r: r**2 / mp.exp(r),
        lambda: -_half_log2(),
        _half_log2,
        {"f32": 5, "wide": 6, "f64": 10},
    ),
    Fit(
        "log",
        _away_from_zero(_log_remainder),
        lambda z: z / 2,
        lambda: mpf(0),
        lambda: (3 - 2 * mp.sqrt(2)) ** 2,
        {"f32": 3, "wide": 4, "f64": 7},
    ),
    Fit(
        "sin",
        _away_from_zero(lambda u: _odd_remainder(mp.sin, u)),
        _odd_weight(mp.sin),
        lambda: mpf(0),
        _square_of_quarter_pi,
        {"f32": 3, "f64": 6},
    ),
    Fit(
        "cos",
        _away_from_zero(lambda u: (mp.cos(mp.sqrt(u)) - 1) / u),
        lambda u: u / mp.cos(mp.sqrt(u)),
        lambda: mpf(0),
        _square_of_quarter_pi,
        {"f32": 4, "f64": 7},
    ),
    Fit(
        "sin_pi",
        _away_from_zero(lambda u: mp.sinpi(mp.sqrt(u)) / (mp.pi * mp.sqrt(u))),
        _away_from_zero(lambda u: mp.pi * mp.sqrt(u) / mp.sinpi(mp.sqrt(u))),
        lambda: mpf(0),
        lambda: mpf("0.25"),
        {"wide": 5, "f64": 9},
    ),
    Fit(
        "tan",
        _away_from_zero(lambda u: _odd_remainder(mp.tan, u)),
        _odd_weight(mp.tan),
        lambda: mpf(0),
        _square_of_quarter_pi,
        {"wide": 7, "f64": 14},
    ),
    Fit(
        "tanh",
        _away_from_zero(lambda u: _odd_remainder(mp.tanh, u)),
        _odd_weight(mp.tanh),
        lambda: mpf(0),
        lambda: mpf("0.55") ** 2,
        {"f32": 5, "f64": 11},
    ),
    Fit(
        "exp2",
        _away_from_zero(lambda r: mp.expm1(r * mp.log(2)) / r),
        lambda r: r / mp.mpf(2) ** r,
        lambda: mpf("-0.5"),
        lambda: mpf("0.5"),
        {"f32": 6, "f64": 11},
    ),
    Fit(
        "sinh",
        _away_from_zero(lambda u: _odd_remainder(mp.sinh, u)),
        _odd_weight(mp.sinh),
        lambda: mpf(0),
        lambda: _half_log2() ** 2,
        {"f32": 2, "f64": 5},
    ),
    Fit(
        "cosh",
        _away_from_zero(lambda u: (mp.cosh(mp.sqrt(u)) - 1) / u),
        lambda u: u,
        lambda: mpf(0),
        lambda: _half_log2() ** 2,
        {"f32": 3, "f64": 6},
    ),
    Fit(
        "atan",
        _away_from_zero(lambda u: _odd_remainder(mp.atan, u)),
        _odd_weight(mp.atan),
        lambda: mpf(0),
        lambda: mpf(1),
        {"f32": 9, "f64": 20},
    ),
    Fit(
        "asin",
        _away_from_zero(lambda u: _odd_remainder(mp.asin, u)),
        _odd_weight(mp.asin),
        lambda: mpf(0),
        lambda: mpf("0.25"),
        {"f32": 5, "f64": 12},
    ),
    Fit(
        "log_pow",
        _away_from_zero(lambda z: (_log_remainder(z) - mpf(2) / 3) / z),
        lambda z: z * z / 2,
        lambda: mpf(0),
        lambda: (3 - 2 * mp.sqrt(2)) ** 2,
        {"f64": 8},
    ),
    Fit(
        "inverse_cbrt",
        lambda m: 1 / mp.cbrt(m),
        lambda m: mp.cbrt(m),
        lambda: mp.sqrt(mpf("0.5")),
        lambda: mp.sqrt(2),
        {"f32": 4, "f64": 4},
    ),
    Fit(
        "erf",
        _away_from_zero(lambda u: mp.erf(mp.sqrt(u)) / mp.sqrt(u) - 1),
        _away_from_zero(lambda u: mp.sqrt(u) / mp.erf(mp.sqrt(u))),
        lambda: mpf(0),
        lambda: mpf(1),
        {"f32": 7, "f64": 13},
    ),
    Fit(
        "log_erfc",
        lambda y: -mp.log(mp.erfc(1 + y)),
        lambda y: mp.erfc(1 + y),
        lambda: mpf(0),
        lambda: mpf(5),
        {"f32": 8, "f64": 18},
    ),
    Fit(
        "erfc",
        lambda t: _scaled_erfc(ERFC_POLE * (1 + t) / (1 - t)),
        lambda t: 1 / _scaled_erfc(ERFC_POLE * (1 + t) / (1 - t)),
        lambda: mpf(-1),
        lambda: (28 - mpf(ERFC_POLE)) / (28 + mpf(ERFC_POLE)),
        {"wide": 13, "f64": 27},
    ),
    Fit(
        "erf_inv_centre",
        lambda v: _erf_inv_quotient(v + ERF_INV_CENTRE),
        lambda v: 1 / _erf_inv_quotient(v + ERF_INV_CENTRE),
        lambda: -mpf(ERF_INV_CENTRE),
        lambda: mpf(ERF_INV_CENTRE),
        {"f32": 11, "f64": 24},
    ),
    _erf_inv_tail("f32", 8),
    _erf_inv_tail("f64", 28),
    Fit(
        "lgamma",
        _away_from_zero(lambda d: mp.loggamma(2 + d) / d),
        _away_from_zero(lambda d: d / mp.loggamma(2 + d)),
        lambda: mpf("-0.75"),
        lambda: mpf("0.5"),
        {"wide": 11, "f64": 23},
    ),
    Fit(
        "stirling",
        _away_from_zero(_stirling_remainder),
        lambda v: mp.sqrt(v) / mp.loggamma(1 / mp.sqrt(v + mpf("1e-12"))),
        lambda: mpf("1e-9"),
        lambda: 1 / mpf("4.5") ** 2,
        {"wide": 4, "f64": 8},
    ),
    Fit(
        "digamma",
        lambda d: mp.digamma(mpf("1.5") + d) / (mpf("1.5") + d - digamma_root()),
        lambda d: (mpf("1.5") + d - digamma_root()) / mp.digamma(mpf("1.5") + d),
        lambda: mpf("-0.5"),
        lambda: mpf("0.5"),
        {"wide": 11, "f64": 22},
    ),
    Fit(
        "digamma_tail",
        _away_from_zero(_digamma_remainder),
        lambda v: v,
        lambda: mpf("1e-9"),
        lambda: mpf(1) / 16,
        {"wide": 4, "f64": 10},
    ),
)


def _nodes(fit: Fit, count: int) -> list[Real]:
    middle, half = (fit.low() + fit.high()) / 2, (fit.high() - fit.low()) / 2
    return [middle + half * mp.cos(mp.pi * (k + mpf("0.5")) / count) for k in range(count)]


def _evaluate(coefficients: Sequence[float], x: Real) -> Real:
    result = mpf(0)
    for coefficient in reversed(coefficients):
        result = result * x + coefficient
    return result


def rounded(value: Real, precision: str) -> float:
    """``value`` in the format in which a polynomial of this precision is evaluated."""
    return float(np.float32(float(value))) if precision == "f32" else float(value)


def solve(fit: Fit, precision: str) -> tuple[list[float], Real]:
    """The rounded coefficients, lowest power first, and the largest weighted error."""
    terms = fit.terms[precision]
    nodes = _nodes(fit, 3 * terms)
    weights = [fit.weight(x) for x in nodes]
    targets = [fit.function(x) for x in nodes]
    found: list[float] = []
    while len(found) < terms:
        powers = range(len(found), terms)
        rows = [[w * x**p for p in powers] for x, w in zip(nodes, weights, strict=True)]
        rest = [
            w * (y - _evaluate(found, x)) for x, y, w in zip(nodes, targets, weights, strict=True)
        ]
        found.append(rounded(mp.lu_solve(mp.matrix(rows), mp.matrix(rest))[0], precision))
    error = max(
        abs(fit.weight(x) * (fit.function(x) - _evaluate(found, x))) for x in _nodes(fit, 201)
    )
    return found, error


def split(value: Real, widths: Sequence[int]) -> list[float]:
    """``value`` as a sum of numbers of at most ``widths`` significant bits each."""
    parts = []
    for width in widths:
        scale = mp.ldexp(1, width - 1 - int(mp.floor(mp.log(abs(value), 2))))
        part = mp.nint(value * scale) / scale
        parts.append(float(part))
        value -= part
    return parts


def splits() -> dict[str, list[float]]:
    """Constants in several parts.

    The first part of a logarithm has so few bits that its product with an exponent is
    exact. The parts of pi serve the reduction of Cody and Waite: full ones where a fused
    multiply-add makes the product exact, short ones where it has to be exact by itself.
    """
    two_thirds = mpf(2) / 3
    log2, log10_2 = mp.log(2), mp.log10(2)
    return {
        "ln2.f32": split(log2, [15, 24]),
        "ln2.f64": split(log2, [41, 53]),
        "log10_2.f32": split(log10_2, [15, 24]),
        "log10_2.f64": split(log10_2, [41, 53]),
        "log2_e.f32": split(1 / log2, [24, 24]),
        "log2_e.f64": split(1 / log2, [53, 53]),
        "log10_e.f32": split(1 / mp.log(10), [24, 24]),
        "log10_e.f64": split(1 / mp.log(10), [53, 53]),
        "two_thirds": split(two_thirds, [53, 53]),
        "digamma_root": split(digamma_root(), [53, 53]),
        "half_pi.f32": split(mp.pi / 2, [24, 24]),
        "half_pi.f64": split(mp.pi / 2, [53, 53]),
        "half_pi.f32.fused": split(mp.pi / 2, [24, 24, 24]),
        "half_pi.f64.fused": split(mp.pi / 2, [53, 53, 53]),
        "half_pi.f64.short": split(mp.pi / 2, [30, 30, 30, 53]),
    }


def _row(name: str, values: Sequence[float]) -> str:
    body = "".join(
        f"        float.fromhex({value.hex()!r}),\n".replace("'", '"') for value in values
    )
    return f'    "{name}": (\n{body}    ),\n'


def main() -> None:
    """Write ``coefficients.py`` beside this file."""
    mp.dps = DIGITS
    rows = []
    for fit in FITS:
        for precision in fit.terms:
            found, error = solve(fit, precision)
            print(f"{fit.name}.{precision}: 2**{float(mp.log(error, 2)):.1f}")
            rows.append(_row(f"{fit.name}.{precision}", found))
    parts = [_row(name, values) for name, values in splits().items()]
    text = (
        '"""Frozen coefficients, written by fit.py; do not edit."""\n\n'
        "# Polynomials by name and precision, lowest power first.\n"
        "POLYNOMIALS: dict[str, tuple[float, ...]] = {\n" + "".join(rows) + "}\n\n"
        "# Constants as sums of several numbers, largest first.\n"
        "SPLITS: dict[str, tuple[float, ...]] = {\n" + "".join(parts) + "}\n"
    )
    Path(__file__).with_name("coefficients.py").write_text(text)


if __name__ == "__main__":
    main()
