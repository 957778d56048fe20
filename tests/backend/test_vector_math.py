"""The error, the special cases and the text of every vector math function."""

import functools
import platform
import re
from pathlib import Path

import mpmath
import numpy as np
import pytest

from gradatim.backend.vector_math import FUNCTIONS, Target, definition, definitions
from gradatim.backend.vector_math.coefficients import POLYNOMIALS

from .vector_math_harness import (
    DTYPES,
    Compiled,
    assembly,
    host,
    module_text,
    target_machine,
    ulp_error,
)

LANES = {"f32": 16, "f64": 8}
CASES = [(name, element) for name in FUNCTIONS for element in DTYPES]
ON_X86 = platform.machine().lower() in ("x86_64", "amd64")
WITHOUT_FMA = Target(vector_bits=128, fma=False)
# The C library is called where an argument is too large, by these alone.
WITH_FALLBACK = {"sin": "sin", "cos": "cos", "tan": "tan", "rem": "fmod"}


# Processors whose code this one may run too, and what makes them differ.
PROCESSORS = {"host": None, "haswell": Target(256, True), "x86-64": WITHOUT_FMA}


@pytest.fixture(scope="module", params=PROCESSORS)
def compiled(request):
    """All functions for this processor, and for older ones."""
    requests = [(n, e, lanes) for n, e in CASES for lanes in (1, LANES[e])]
    target = PROCESSORS[request.param]
    if target is None:
        return Compiled(requests, host())
    if not ON_X86 or host().vector_bits < target.vector_bits:
        pytest.skip(f"this processor does not run code for {request.param}")
    return Compiled(requests, target, cpu=request.param)


# ---- error -------------------------------------------------------------------------------------

EXTENDED = np.finfo(np.longdouble).nmant >= 63
REFERENCES = {
    "pow": np.power,
    "rem": np.fmod,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "logistic": lambda x: np.where(x < 0, np.exp(x), 1) / (1 + np.exp(-np.abs(x))),
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}
MPMATH = {
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "erf_inv": mpmath.erfinv,
    "lgamma": lambda x: mpmath.re(mpmath.loggamma(x)),
    "digamma": mpmath.digamma,
}


def _by_mpmath(function, values):
    """Values of a function of one argument with twice the precision of f64."""
    result = np.empty(len(values), np.longdouble)
    with mpmath.workprec(106):
        for i, value in enumerate(values):
            exact = function(mpmath.mpf(float(value)))
            high = float(exact)
            result[i] = np.longdouble(high) + np.longdouble(float(exact - high))
    return result


def reference(name, operands):
    """The function to more digits than f64: x87 long double, or mpmath."""
    if name in MPMATH:
        return _by_mpmath(MPMATH[name], operands[0])
    if not EXTENDED:
        pytest.skip("long double is f64 here")
    with np.errstate(all="ignore"):
        function = REFERENCES.get(name) or getattr(np, name)
        return function(*(x.astype(np.longdouble) for x in operands))


# Where a function is sampled beyond the ranges that serve all.
DOMAINS = {
    "lgamma": [(1e-6, 0.3), (0.2, 3), (0.9, 1.1), (1.9, 2.1), (2, 6), (6, 200), (1e3, 1e30)],
    "digamma": [(1e-6, 0.3), (0.2, 3), (1.4, 1.5), (2, 5), (5, 200), (1e3, 1e30)],
    "erf": [(-1, 1), (-6, 6), (-1e-10, 1e-10)],
    "erfc": [(-1, 1), (-6, 3), (1, 9.9)],
    "erf_inv": [(-1, 1), (-0.1, 0.1), (0.999, 1), (-1, -0.99999)],
}
EVERYWHERE = [(-1, 1), (-5, 5), (0.5, 2), (-30, 30), (-100, 100), (-800, 800), (-1e6, 1e6)]


def samples(name, element, seed=0):
    rng = np.random.default_rng(seed)
    dtype = DTYPES[element]
    count = 120 if name in MPMATH else 6000
    parts = [rng.uniform(low, high, count) for low, high in DOMAINS.get(name, EVERYWHERE)]
    if name not in MPMATH:
        info = np.finfo(dtype)
        logarithm = rng.uniform(np.log(float(info.tiny)), np.log(float(info.max)), count)
        tiny = rng.uniform(0, 4 * float(info.tiny), count)
        near_one = 1 + rng.uniform(-1, 1, count) * 2.0 ** rng.integers(-30, 0, count)
        signs = rng.choice([-1, 1], (3, count))
        parts += list(signs * [np.exp(logarithm), tiny, near_one])
    first = np.concatenate(parts).astype(dtype)
    return [first] + [rng.permutation(first) for _ in range(FUNCTIONS[name].arity - 1)]


@functools.cache
def samples_with_reference(name, element):
    operands = samples(name, element)
    return operands, reference(name, operands)


@pytest.mark.parametrize(("name", "element"), CASES)
def test_error_is_below_the_documented_bound(compiled, name, element):
    operands, exact = samples_with_reference(name, element)
    errors = ulp_error(compiled((name, element, LANES[element]), *operands), exact)
    worst = int(np.argmax(errors))
    assert errors[worst] <= FUNCTIONS[name].max_ulp[element], [x[worst] for x in operands]


@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_negative_arguments_of_gamma_functions(compiled, name, element):
    """Reflection is as accurate as its terms, of which the value at 1 - x is one."""
    x = np.random.default_rng(3).uniform(-12, 0, 600).astype(DTYPES[element])
    result = compiled((name, element, LANES[element]), x)
    exact = _by_mpmath(MPMATH[name], x)
    reflected = _by_mpmath(MPMATH[name], 1 - x.astype(np.float64))
    scale = np.maximum(np.abs(exact), np.abs(reflected)) * np.finfo(x.dtype).eps
    assert np.max(np.abs(result - exact) / scale) <= FUNCTIONS[name].max_ulp[element]


def test_sine_near_multiples_of_pi(compiled):
    """The reduction keeps its relative accuracy where the result almost vanishes."""
    if not EXTENDED:
        pytest.skip("long double is f64 here")
    multiples = np.concatenate([np.arange(1, 4000), np.array([2**20 + 1, 2**25 + 3])])
    for element, limit in (("f32", 2**17), ("f64", 2**27)):
        x = (multiples * np.pi / 2).astype(DTYPES[element])
        x = x[x < limit]
        for name in ("sin", "cos", "tan"):
            result = compiled((name, element, LANES[element]), x)
            errors = ulp_error(result, reference(name, [x]))
            assert errors.max() <= FUNCTIONS[name].max_ulp[element]


@pytest.mark.parametrize("element", DTYPES)
def test_no_value_leaves_the_range_of_its_function(compiled, element):
    dtype, lanes = DTYPES[element], LANES[element]
    small = np.geomspace(1e-20, 1, 20000).astype(dtype)
    assert np.all(compiled(("cos", element, lanes), small) <= 1)
    around = (np.pi / 2 + np.linspace(-1e-3, 1e-3, 20000)).astype(dtype)
    assert np.all(compiled(("sin", element, lanes), around) <= 1)
    large = np.linspace(0, 30, 20000).astype(dtype)
    for name in ("tanh", "erf", "logistic"):
        assert np.all(compiled((name, element, lanes), large) <= 1)


# ---- one algorithm, any width ------------------------------------------------------------------


def _bits(array):
    return np.where(np.isnan(array), 0, array.view(f"u{array.itemsize}"))


@pytest.mark.parametrize(("name", "element"), CASES)
def test_scalars_and_vectors_have_the_same_bits(compiled, name, element):
    operands = samples(name, element, seed=1)
    vector = compiled((name, element, LANES[element]), *operands)
    scalar = compiled((name, element, 1), *operands)
    np.testing.assert_array_equal(_bits(vector), _bits(scalar))


@pytest.mark.parametrize("element", DTYPES)
def test_every_width_has_the_same_bits(element):
    names, widths = ("exp", "sin", "tan", "log1p", "cosh", "rem"), (1, 2, 4, 32, 64)
    run = Compiled([(n, element, w) for n in names for w in widths], host())
    for name in names:
        operands = samples(name, element, seed=2)
        expected = _bits(run((name, element, 1), *operands))
        for width in widths[1:]:
            result = _bits(run((name, element, width), *operands))
            np.testing.assert_array_equal(result, expected)


# ---- special cases -----------------------------------------------------------------------------

INF, NAN = np.inf, np.nan
SPECIAL_POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1e300, -1e300]
SPECIAL_POINTS += [5e-324, -5e-324, 1e-310, -1e-310, INF, -INF, NAN, 709.79, 710.5, -745.2, -750.0]
NUMPY_NAMES = {
    **{n: f"arc{n[1:]}" for n in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "atan2": "arctan2",
    "pow": "power",
    "rem": "fmod",
}
TABLE = {
    "rsqrt": [(0.0, INF), (-0.0, -INF), (INF, 0.0), (-1.0, NAN), (4.0, 0.5), (NAN, NAN)],
    "logistic": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (30.0, 1.0), (NAN, NAN)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (40.0, 0.0), (NAN, NAN)],
    "erf_inv": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (1.0, INF),
        (-1.0, -INF),
        (1.5, NAN),
        (-INF, NAN),
        (NAN, NAN),
    ],
    "lgamma": [
        (1.0, 0.0),
        (2.0, 0.0),
        (0.0, INF),
        (-0.0, INF),
        (-1.0, INF),
        (-1e30, INF),
        (INF, INF),
        (-INF, INF),
        (NAN, NAN),
    ],
    "digamma": [
        (0.0, -INF),
        (-0.0, INF),
        (-1.0, NAN),
        (-7.0, NAN),
        (INF, INF),
        (-INF, NAN),
        (NAN, NAN),
    ],
}


def assert_identical(result, expected):
    np.testing.assert_array_equal(result, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(result)[numbers], np.signbit(expected)[numbers])


@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("name", TABLE)
def test_special_values(compiled, name, element):
    x, expected = np.array(TABLE[name], DTYPES[element]).T.copy()
    assert_identical(compiled((name, element, LANES[element]), x), expected)


@pytest.mark.parametrize("element", DTYPES)
@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - set(TABLE)))
def test_special_values_are_those_of_numpy(compiled, name, element):
    """Zeros, infinities and NaN to the bit; numbers within the bound."""
    dtype, arity = DTYPES[element], FUNCTIONS[name].arity
    with np.errstate(all="ignore"):
        points = np.array(SPECIAL_POINTS).astype(dtype)
        operands = [axis.ravel() for axis in np.meshgrid(*[points] * arity)]
        expected = getattr(np, NUMPY_NAMES.get(name, name))(*operands)
    result = compiled((name, element, LANES[element]), *operands)
    exact = ~np.isfinite(expected) | (expected == 0)
    assert_identical(result[exact], expected[exact])
    assert np.all(np.isfinite(result[~exact]))
    rest = [x[~exact] for x in operands]
    errors = ulp_error(result[~exact], reference(name, rest))
    assert errors.max() <= FUNCTIONS[name].max_ulp[element]


@pytest.mark.parametrize(("name", "element"), CASES)
def test_nan_stays(compiled, name, element):
    """Whatever its payload and sign, which algorithms on bit patterns see."""
    dtype = DTYPES[element]
    width = 8 * dtype.itemsize
    quiet = np.array([NAN], dtype).view(f"u{dtype.itemsize}")[0]
    payloads = np.random.default_rng(5).integers(0, 2 ** (np.finfo(dtype).nmant - 1), 1000)
    patterns = quiet | payloads.astype(quiet.dtype)
    patterns[::2] |= quiet.dtype.type(1 << (width - 1))
    first, *others = [patterns.view(dtype)] * FUNCTIONS[name].arity
    others = [np.full_like(y, 2.5) for y in others]
    result = compiled((name, element, LANES[element]), first, *others)
    assert np.all(np.isnan(result))


@pytest.mark.parametrize("element", DTYPES)
def test_subnormal_results_are_rounded_once(compiled, element):
    dtype = DTYPES[element]
    tiny = float(np.finfo(dtype).tiny)
    x = np.linspace(np.log(tiny) - 14, np.log(tiny), 3000).astype(dtype)
    result = compiled(("exp", element, LANES[element]), x)
    assert ulp_error(result, reference("exp", [x])).max() <= FUNCTIONS["exp"].max_ulp[element]
    assert np.count_nonzero((result > 0) & (result < tiny)) > 2000


# ---- text and other processors -----------------------------------------------------------------


# What every target has as instructions, but for ldexp (AVX-512 only).
INSTRUCTIONS = {"fabs", "sqrt", "copysign", "smin", "smax", "vector.reduce.or"}


@pytest.mark.parametrize(("name", "element"), CASES)
@pytest.mark.parametrize(
    ("target", "more"),
    [
        (Target(512, True, True), {"fma", "ldexp"}),
        (Target(128, True), {"fma"}),
        (WITHOUT_FMA, set()),
    ],
    ids=["avx512", "neon", "sse2"],
)
def test_only_the_rare_path_calls_the_library(name, element, target, more):
    function = definition(name, element, 8, target)
    usual, _, rare = function.text.partition("rare:")
    called = set(re.findall(r"call .*?@([\w.]+?)(?:\.v8[fi]\d+)*\(", usual))
    own = {"gd.log"} if name in ("lgamma", "digamma") else set()
    assert {c.removeprefix("llvm.") for c in called} - {"vector.reduce.or.v8i1"} - own <= (
        INSTRUCTIONS | more
    )
    assert bool(rare) == (name in WITH_FALLBACK)


MACHINES = {
    "haswell": ("x86_64-unknown-linux-gnu", "haswell", Target(256, True)),
    "x86-64": ("x86_64-unknown-linux-gnu", "x86-64", WITHOUT_FMA),
    "skylake-avx512": ("x86_64-unknown-linux-gnu", "skylake-avx512", Target(512, True, True)),
    "aarch64": ("aarch64-unknown-linux-gnu", "generic", Target(128, True)),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_compiles_for_other_processors_without_library_calls(machine):
    triple, cpu, target = MACHINES[machine]
    requests = [(n, e, lanes) for n, e in CASES for lanes in (1, LANES[e])]
    text = assembly(module_text(requests, target), target_machine(triple, cpu))
    called = set(re.findall(r"\b(?:callq?|jmpq?|bl?)\s+\*?([A-Za-z_][\w.]*)", text))
    outside = {symbol for symbol in called if not symbol.startswith("gd.")}
    # The tangent of f32 is computed in f64.
    assert outside == {"sin", "sinf", "cos", "cosf", "tan", "fmod", "fmodf"}


def test_a_module_holds_each_definition_once():
    requests = [(n, "f64", 8) for n in FUNCTIONS] * 2 + [("tan", "f32", 8), ("lgamma", "f32", 8)]
    text = definitions(requests, host())
    names = re.findall(r"^(?:define|declare) .*?@([\w.]+)\(", text, re.MULTILINE)
    assert len(names) == len(set(names))
    assert {f"gd.{n}.v8f64" for n in FUNCTIONS} <= set(names)


def test_only_the_functions_asked_for_are_inlined():
    requests = [("exp", "f64", 8), ("lgamma", "f64", 8), ("sin", "f64", 8)]
    text = definitions(requests, host(), inlined=requests[1:])
    inlined = re.findall(r"^define .*?@([\w.]+)\(.* alwaysinline", text, re.MULTILINE)
    assert inlined == ["gd.lgamma.v8f64", "gd.sin.v8f64"]


@pytest.mark.parametrize(
    ("features", "machine", "expected"),
    [
        ({}, "x86_64", Target(128, False)),
        ({"avx2": True, "fma": True}, "x86_64", Target(256, True)),
        (
            dict.fromkeys(("avx2", "fma", "avx512f", "avx512dq", "avx512vl"), True),
            "x86_64",
            Target(512, True, True),
        ),
        ({"avx2": True, "fma": True, "avx512f": True}, "x86_64", Target(256, True)),
        ({"neon": True}, "aarch64", Target(128, True)),
    ],
)
def test_target_of_cpu_features(features, machine, expected):
    assert Target.from_features(features, machine) == expected


@pytest.mark.parametrize("lanes", [0, 3, 128])
def test_a_width_that_is_no_power_of_two_is_refused(lanes):
    with pytest.raises(ValueError, match="power of two"):
        definition("sin", "f64", lanes, host())


def test_the_documentation_states_the_bounds():
    page = (Path(__file__).parents[2] / "docs" / "vector-math.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|", page, re.MULTILINE)
    stated = {name: {"f32": float(f32), "f64": float(f64)} for name, f32, f64 in rows}
    assert stated == {name: algorithm.max_ulp for name, algorithm in FUNCTIONS.items()}
    for algorithm in FUNCTIONS.values():
        assert algorithm.notes in page.replace("\n", " ")


@pytest.mark.parametrize("name", ["exp", "log", "sin", "atan"])
def test_fitting_again_gives_the_frozen_coefficients(name):
    from gradatim.backend.vector_math.fit import DIGITS, FITS, solve

    fit = next(fit for fit in FITS if fit.name == name)
    with mpmath.workdps(DIGITS):
        for precision in fit.terms:
            found, error = solve(fit, precision)
            assert tuple(found) == POLYNOMIALS[f"{name}.{precision}"]
            assert error < 2.0 ** (-55 if precision == "f64" else -25)
