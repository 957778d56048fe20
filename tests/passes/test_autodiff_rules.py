"""Each op's derivative rule: against finite differences, both modes against each other, order 2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pytest
from xdsl.ir import SSAValue

from gradatim.ir.array import elementwise as e
from gradatim.ir.array.control import CONTROL_OPS
from gradatim.ir.array.effect import CallbackOp
from gradatim.ir.array.window import Window
from gradatim.ir.builder import Builder
from gradatim.ir.errors import GradatimError
from gradatim.ir.types import Shape
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.rules import NON_DIFFERENTIABLE, RULES
from gradatim.passes.autodiff.vjp import vjp

from .differentiation import Body, check_derivatives, make, random_like, run

F64 = np.dtype(np.float64)
C128 = np.dtype(np.complex128)
LOW_PRECISION = {F64: np.dtype(np.float32), C128: np.dtype(np.complex64)}


@dataclass(frozen=True)
class Case:
    """A body and what to call it with: shapes, and the interval to draw from."""

    body: Body
    shapes: tuple[tuple[int, ...], ...]
    bounds: tuple[tuple[float, float], ...] = ()
    dtypes: tuple[np.dtype, ...] = (F64,)
    order: int = 2
    any_precision: bool = True  # not so if the body names a dtype

    def arguments(self, dtype: np.dtype) -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        return [
            _draw(rng, shape, dtype, *bounds)
            for shape, bounds in zip(self.shapes, self.bounds or ((-2, 2),) * len(self.shapes))
        ]


def _draw(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype, low: float, high: float
) -> np.ndarray:
    """Draw numbers at least a 20th of the interval apart, so that differences see no ties."""
    size = prod(shape)
    ranks = rng.permutation(size).reshape(shape)
    spread = (ranks + rng.uniform(0.3, 0.7, shape)) / max(size, 1)
    value = low + (high - low) * spread
    if dtype.kind == "c":
        value = value + 1j * rng.uniform(0.2, 0.9, shape)
    return np.asarray(value, dtype)


REAL_AND_COMPLEX = (F64, C128)

UNARY_BOUNDS: dict[type[e.UnaryOp] | type[e.AbsOp], list[tuple[float, float]]] = {
    e.NegOp: [(-2, 2)],
    e.SqrtOp: [(0.3, 3)],
    e.RsqrtOp: [(0.3, 3)],
    e.CbrtOp: [(0.3, 3), (-3, -0.3)],
    e.ExpOp: [(-2, 2)],
    e.Exp2Op: [(-2, 2)],
    e.Expm1Op: [(-2, 2)],
    e.LogOp: [(0.3, 3)],
    e.Log2Op: [(0.3, 3)],
    e.Log10Op: [(0.3, 3)],
    e.Log1pOp: [(-0.6, 2)],
    e.LogisticOp: [(-4, 4)],
    e.SinOp: [(-4, 4)],
    e.CosOp: [(-4, 4)],
    e.TanOp: [(-1, 1)],
    e.AsinOp: [(-0.8, 0.8)],
    e.AcosOp: [(-0.8, 0.8)],
    e.AtanOp: [(-2, 2)],
    e.SinhOp: [(-2, 2)],
    e.CoshOp: [(-2, 2)],
    e.TanhOp: [(-2, 2)],
    e.AsinhOp: [(-2, 2)],
    e.AcoshOp: [(1.3, 3)],
    e.AtanhOp: [(-0.8, 0.8)],
    e.ErfOp: [(-2, 2)],
    e.ErfcOp: [(-2, 2)],
    e.ErfInvOp: [(-0.8, 0.8)],
    e.LgammaOp: [(0.6, 6), (-1.8, -1.2)],
    e.DigammaOp: [(0.6, 6), (-1.8, -1.2)],
    e.AbsOp: [(0.2, 2), (-2, -0.2)],
    e.SignOp: [(0.2, 2), (-2, -0.2)],
}

BINARY_BOUNDS: dict[type[e.BinaryOp], list[tuple[tuple[float, float], tuple[float, float]]]] = {
    e.AddOp: [((-2, 2), (-2, 2))],
    e.SubOp: [((-2, 2), (-2, 2))],
    e.MulOp: [((-2, 2), (-2, 2))],
    e.DivOp: [((-2, 2), (0.5, 2))],
    e.RemOp: [((5, 5.9), (1.55, 1.6)), ((-5.9, -5), (1.55, 1.6)), ((5, 5.9), (-1.6, -1.55))],
    e.PowOp: [((0.5, 2), (-2, 2))],
    e.MaxOp: [((0, 1), (0.95, 1.95))],
    e.MinOp: [((0, 1), (0.95, 1.95))],
    e.CopySignOp: [((0.5, 2), (-2, -1)), ((-2, -0.5), (-2, -1)), ((-2, -0.5), (1, 2))],
    e.Atan2Op: [((-2, 2), (0.4, 2)), ((0.5, 2), (-2, -0.4))],
}


def _apply(op: type) -> Body:
    return lambda b, *operands: b.create(op, operands)


def _dtypes(op: type) -> tuple[np.dtype, ...]:
    return REAL_AND_COMPLEX if "c" in op.KINDS else (F64,)


def _elementwise_cases() -> dict[str, Case]:
    cases = {}
    for op, intervals in UNARY_BOUNDS.items():
        for number, bounds in enumerate(intervals):
            cases[f"{op.name}-{number}"] = Case(_apply(op), ((5,),), (bounds,), _dtypes(op))
    for op, pairs in BINARY_BOUNDS.items():
        for number, pair in enumerate(pairs):
            cases[f"{op.name}-{number}"] = Case(_apply(op), ((4,), (4,)), pair, _dtypes(op))
    return cases


def _complex_case(body: Body, count: int = 1) -> Case:
    return Case(body, ((2, 3),) * count, dtypes=(C128,))


def _select(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    return b.select(b.compare("lt", x, y), b.mul(x, y), b.sin(x))


def _dot(shapes: tuple, batch: tuple, contract: tuple) -> Case:
    return Case(
        lambda b, x, y: b.dot_general(x, y, batch=batch, contract=contract),
        shapes,
        dtypes=REAL_AND_COMPLEX,
    )


def _pad(low: list[int], high: list[int], interior: list[int], shape: tuple[int, ...]) -> Case:
    return Case(lambda b, x, v: b.pad(x, v, low, high, interior), (shape, ()))


def _unary_case(body: Body, *shape: int, dtypes: tuple[np.dtype, ...] = REAL_AND_COMPLEX) -> Case:
    return Case(body, (shape,), dtypes=dtypes)


def _named_dtype(body: Body, *shape: int, dtype: np.dtype = F64) -> Case:
    return Case(body, (shape,), dtypes=(dtype,), any_precision=False)


def _reduce(kind: str, dims: tuple[int, ...], *shape: int) -> Case:
    dtypes = REAL_AND_COMPLEX if kind in ("add", "mul") else (F64,)
    return _unary_case(lambda b, x: b.reduce(kind, x, dims), *shape, dtypes=dtypes)


def _sort(*shapes: tuple[int, ...], dim: int, keys: int = 1) -> Case:
    """Sort squares, so that the second derivative is not zero."""

    def body(b: Builder, *arrays: SSAValue) -> list[SSAValue]:
        return [*b.sort([b.mul(x, x) for x in arrays], dim, keys)[:-1]]

    return Case(body, shapes)


def _cumulative(kind: str, reverse: bool, dim: int, *shape: int) -> Case:
    dtypes = REAL_AND_COMPLEX if kind in ("add", "mul") else (F64,)
    return _unary_case(
        lambda b, x: b.cumulative(kind, x, dim, reverse=reverse), *shape, dtypes=dtypes
    )


def _windows(kind: str, shape: tuple[int, ...], windows: tuple[tuple[int, ...], ...]) -> Case:
    dtypes = REAL_AND_COMPLEX if kind in ("add", "mul") else (F64,)
    slid = [Window(*window) for window in windows]
    return _unary_case(lambda b, x: b.reduce_window(kind, x, slid), *shape, dtypes=dtypes)


def _convolution(shapes: tuple, windows: tuple[tuple[int, ...], ...], groups: int = 1) -> Case:
    slid = [Window(*window) for window in windows]
    return Case(lambda b, x, w: b.convolution(x, w, slid, groups), shapes, dtypes=REAL_AND_COMPLEX)


def _positions(b: Builder, *numbers: Any) -> list[SSAValue]:
    return [b.constant(np.asarray(number, np.int64)) for number in numbers]


def _dynamic_slice(starts: Shape, sizes: Shape, shape: Shape) -> Case:
    return _unary_case(lambda b, x: b.dynamic_slice(x, _positions(b, *starts), sizes), *shape)


def _dynamic_update(starts: Shape, sizes: Shape, shape: Shape) -> Case:
    return Case(
        lambda b, x, u: b.dynamic_update_slice(x, u, _positions(b, *starts)),
        (shape, sizes),
        dtypes=REAL_AND_COMPLEX,
    )


def _gather(indices: tuple, dims: Shape, shape: Shape) -> Case:
    return _unary_case(lambda b, x: b.gather(x, _positions(b, *indices), dims), *shape)


def _scatter(kind: str, indices: tuple, dims: Shape, shape: Shape, unique: bool = False) -> Case:
    def body(b: Builder, x: SSAValue, u: SSAValue) -> SSAValue:
        return b.scatter(kind, x, u, _positions(b, *indices), dims, unique=unique)

    rest = tuple(m for d, m in enumerate(shape) if d not in dims)
    dtypes = (F64,) if kind in ("min", "max") else REAL_AND_COMPLEX
    return Case(body, (shape, (*np.shape(indices[0]), *rest)), dtypes=dtypes)


CASES: dict[str, Case] = {
    **_elementwise_cases(),
    **{
        f"lane_reduce-{kind}": Case(lambda b, x, k=kind: b.lane_reduce(k, x, "i"), ((4,),))
        for kind in ("add", "max", "min")
    },
    "clamp-inside": Case(
        lambda b, *xs: b.clamp(*xs), ((4,),) * 3, ((-2.0, -1.5), (-1.0, 1.0), (1.5, 2.0))
    ),
    "clamp-below": Case(
        lambda b, *xs: b.clamp(*xs), ((4,),) * 3, ((-2.0, -1.5), (-3.0, -2.5), (1.5, 2.0))
    ),
    "clamp-above": Case(
        lambda b, *xs: b.clamp(*xs), ((4,),) * 3, ((-2.0, -1.5), (2.5, 3.0), (1.5, 2.0))
    ),
    "clamp-crossed": Case(
        lambda b, *xs: b.clamp(*xs), ((4,),) * 3, ((2.5, 3.0), (-1.0, 1.0), (1.5, 2.0))
    ),
    "select": Case(_select, ((5,), (5,)), ((0, 1), (0.03, 1.03))),
    "select-one-side": Case(
        lambda b, x: b.select(b.compare("gt", x, b.full_like(x, 0)), b.full_like(x, 3), b.exp(x)),
        ((6,),),
    ),
    "real": _complex_case(lambda b, x: b.real(b.mul(x, x))),
    "imag": _complex_case(lambda b, x: b.imag(b.mul(x, x))),
    "conj": _complex_case(lambda b, x, y: b.mul(b.conj(x), y), 2),
    "complex": Case(lambda b, x, y: b.exp(b.complex(x, y)), ((4,), (4,))),
    "complex-of-one": Case(lambda b, x: b.exp(b.complex(x, b.full_like(x, 0.5))), ((4,),)),
    "complex-pow-left-half-plane": Case(
        lambda b, x, y: b.pow(x, y), ((4,), (4,)), ((-2, -1), (-1, 1)), (C128,)
    ),
    "complex-acosh-left-half-plane": Case(lambda b, x: b.acosh(x), ((4,),), ((-2, -0.5),), (C128,)),
    "convert-to-complex": _named_dtype(lambda b, x: b.sin(b.convert(x, C128)), 4),
    "convert-to-real": _named_dtype(lambda b, x: b.convert(b.mul(x, x), F64), 4, dtype=C128),
    "convert-to-integer-and-back": _named_dtype(
        lambda b, x: b.mul(x, b.convert(b.convert(b.exp(x), np.dtype(np.int64)), F64)), 3
    ),
    "broadcast": _unary_case(lambda b, x: b.broadcast(x, (2, 3, 4, 5), (1, 3)), 3, 5),
    "broadcast-scalar": _unary_case(lambda b, x: b.broadcast(x, (2, 3), ())),
    "reshape": _unary_case(lambda b, x: b.reshape(x, (3, 4)), 2, 6),
    "transpose": _unary_case(lambda b, x: b.transpose(x, (2, 0, 1)), 2, 3, 4),
    "slice": _unary_case(lambda b, x: b.slice(x, (1, 2), (4, 5)), 5, 6),
    "slice-strided": _unary_case(lambda b, x: b.slice(x, (1, 0), (8, 7), (3, 2)), 9, 7),
    "slice-stride-beyond": _unary_case(lambda b, x: b.slice(x, (1,), (3,), (7,)), 5),
    "slice-empty": _unary_case(lambda b, x: b.slice(x, (2, 1), (2, 3), (3, 1)), 5, 4),
    "pad": _pad([1, 0], [2, 3], [0, 0], (3, 4)),
    "pad-interior": _pad([1, 2], [0, 3], [2, 1], (3, 4)),
    "pad-negative": _pad([-1, 2], [1, -2], [0, 0], (3, 4)),
    "pad-negative-interior": _pad([-2, -1], [-3, 2], [1, 2], (4, 3)),
    "pad-empty-operand": _pad([1], [2], [3], (0,)),
    "pad-to-empty": _pad([-2], [-1], [0], (3,)),
    "pad-constant": _named_dtype(lambda b, x: b.pad(x, b.full((), F64, 7), [1], [2], [1]), 3),
    "concatenate": Case(
        lambda b, *xs: b.concatenate(xs, 1), ((2, 1), (2, 3), (2, 0)), dtypes=REAL_AND_COMPLEX
    ),
    "concatenate-with-constant": _named_dtype(
        lambda b, x: b.concatenate([x, b.full((3,), F64, 2), x], 0), 2
    ),
    "reverse": _unary_case(lambda b, x: b.reverse(x, (0, 2)), 2, 3, 2),
    "dynamic-slice": _dynamic_slice((1, 2), (3, 1), (5, 4)),
    "dynamic-slice-moved-inside": _dynamic_slice((-1, 9), (2, 3), (5, 4)),
    "dynamic-slice-empty": _dynamic_slice((1,), (0,), (5,)),
    "dynamic-update": _dynamic_update((1, 2), (3, 1), (5, 4)),
    "dynamic-update-moved-inside": _dynamic_update((7, -3), (2, 4), (3, 4)),
    "gather": _gather(([3, 0, 3, 9, -2],), (0,), (4, 2)),
    "gather-two": _gather(([[1, 0], [1, 1]], [[2, 2], [2, 0]]), (2, 0), (3, 2, 2)),
    "gather-of-nothing": _gather(([],), (0,), (3,)),
    "gather-one": _gather((2,), (1,), (2, 3)),
    "gather-from-no-columns": _gather(([1, 2],), (0,), (4, 0)),
    **{
        f"scatter-{kind}-{name}": _scatter(kind, *details)
        for kind in ("set", "add", "mul", "min", "max")
        for name, details in {
            "duplicates": (([3, 0, 3, 9, -2, 3],), (0,), (4, 2)),
            "two": (([[1, 0], [1, 1]], [[2, 2], [2, 7]]), (2, 0), (3, 2, 2)),
            "unique": (([3, 0, 9],), (1,), (2, 4), True),
            "one": ((2,), (1,), (2, 3)),
            "nothing": (([],), (0,), (3,)),
            "to-nothing": (([0, 1],), (0,), (0,)),
        }.items()
    },
    **{
        f"reduce-{kind}-{''.join(map(str, dims))}-of-{shape}": _reduce(kind, dims, *shape)
        for kind in ("add", "mul", "min", "max")
        for dims, shape in (
            ((0,), (5,)),
            ((1,), (2, 3, 2)),
            ((0, 2), (2, 3, 3)),
            ((2, 0), (2, 2, 3)),
            ((0,), (1,)),
            ((1,), (0, 3)),
        )
    },
    "reduce-add-of-nothing": _reduce("add", (0,), 0, 3),
    "reduce-mul-of-nothing": _reduce("mul", (0,), 0, 3),
    "reduce-mul-with-zeros": _named_dtype(
        lambda b, x: b.reduce("mul", b.mul(x, b.constant(np.array([1.0, 0.0, 2.0, 0.0]))), (0,)), 4
    ),
    **{
        f"cumulative-{kind}-{reverse}-{dim}-of-{shape}": _cumulative(kind, reverse, dim, *shape)
        for kind in ("add", "mul", "min", "max")
        for reverse in (False, True)
        for dim, shape in ((0, (6,)), (1, (2, 5)), (0, (1,)), (0, (0, 2)))
    },
    "cumulative-mul-with-zeros": _named_dtype(
        lambda b, x: b.cumulative("mul", b.mul(x, b.constant(np.array([1.0, 0.0, 2.0, 0.0]))), 0), 4
    ),
    **{
        f"windows-{kind}-{number}": _windows(kind, shape, windows)
        for kind in ("add", "mul", "min", "max")
        for number, (shape, windows) in enumerate(
            (
                ((6,), ((3, 1, 1, 0, 0),)),
                ((6,), ((5, 1, 1, 4, 4),)),
                ((9,), ((7, 2, 1, 2, 0),)),
                ((7,), ((2, 3, 2, -1, 2),)),
                ((5, 4), ((3, 2, 1, 1, 0), (2, 1, 2, 0, 2))),
                ((1, 2), ((1, 1, 1, 0, 0), (7, 1, 1, 0, 0))),
                ((0, 3), ((1, 1, 1, 0, 0), (2, 1, 1, 0, 0))),
                ((), ()),
            )
        )
    },
    "windows-mul-with-zeros": _named_dtype(
        lambda b, x: b.reduce_window(
            "mul", b.mul(x, b.constant(np.array([1.0, 0.0, 2.0, 0.0]))), [Window(3, 1, 1, 1, 1)]
        ),
        4,
    ),
    "convolution-line": _convolution(((2, 5, 3), (2, 3, 2)), ((2, 1, 1, 0, 0),)),
    "convolution-image": _convolution(
        ((2, 4, 3, 2), (2, 3, 2, 3)), ((2, 2, 1, 0, 1), (3, 1, 1, 1, 1))
    ),
    "convolution-dilated": _convolution(((1, 4, 2), (3, 2, 3)), ((3, 2, 2, 3, 1, 3),)),
    "convolution-cut": _convolution(((1, 6, 1), (2, 1, 2)), ((2, 1, 2, -1, -2),)),
    "convolution-groups": _convolution(((2, 4, 4), (2, 2, 6)), ((2, 1, 1, 1, 0),), 2),
    "convolution-depthwise": _convolution(((1, 4, 3), (2, 1, 3)), ((2, 2, 1, 0, 0),), 3),
    "convolution-box": _convolution(
        ((1, 2, 3, 2, 1), (2, 2, 1, 1, 2)), ((2, 1, 1, 0, 1),) * 2 + ((1, 1, 1, 0, 0),)
    ),
    "convolution-of-points": _convolution(((2, 4), (2, 6)), (), 2),
    "convolution-no-window": _convolution(((1, 2, 2), (5, 2, 1)), ((5, 1, 1, 0, 0),)),
    "convolution-no-examples": _convolution(((0, 3, 2), (2, 2, 1)), ((2, 1, 1, 0, 0),)),
    "convolution-with-itself": _unary_case(
        lambda b, x: b.convolution(x, x, [Window(3, 1, 1, 2, 2)]), 3, 3, 3
    ),
    "sort": _sort((6,), dim=0),
    "sort-rows": _sort((2, 4), dim=1),
    "sort-columns": _sort((3, 2, 2), dim=0),
    "sort-one": _sort((2, 1), dim=1),
    "sort-nothing": _sort((0, 3), dim=1),
    "sort-no-elements": _sort((3, 0), dim=1),
    "sort-together": _sort((2, 4), (2, 4), (2, 4), dim=1),
    "sort-by-two": _sort((5,), (5,), (5,), dim=0, keys=2),
    "sort-complex": _unary_case(lambda b, x: b.sort([b.mul(x, x)], 0)[0], 4, dtypes=(C128,)),
    "sort-by-constants": _named_dtype(
        lambda b, x: b.sort([b.constant(np.array([2, 0, 2, 1])), b.mul(x, x)], 0)[1], 4
    ),
    "dot-vectors": _dot(((4,), (4,)), ((), ()), ((0,), (0,))),
    "dot-matrices": _dot(((2, 3), (3, 4)), ((), ()), ((1,), (0,))),
    "dot-transposed": _dot(((3, 2), (4, 3)), ((), ()), ((0,), (1,))),
    "dot-batch": _dot(((2, 3, 4), (2, 4, 5)), ((0,), (0,)), ((2,), (1,))),
    "dot-batch-inside": _dot(((3, 2, 4), (4, 5, 2)), ((1,), (2,)), ((2,), (0,))),
    "dot-two-batches": _dot(((2, 3, 4, 2), (3, 2, 2, 3)), ((0, 1), (1, 0)), ((3,), (2,))),
    "dot-two-contracted": _dot(((2, 3, 4), (4, 2, 5)), ((), ()), ((2, 0), (0, 1))),
    "dot-two-contracted-crossed": _dot(((2, 3, 4), (4, 2, 5)), ((), ()), ((0, 2), (1, 0))),
    "dot-outer": _dot(((2,), (3,)), ((), ()), ((), ())),
    "dot-scalars": _dot(((), ()), ((), ()), ((), ())),
    "dot-only-batch": _dot(((3, 2), (2, 3)), ((0, 1), (1, 0)), ((), ())),
    "dot-empty-contraction": _dot(((2, 0), (0, 3)), ((), ()), ((1,), (0,))),
    "dot-with-itself": _unary_case(lambda b, x: b.dot_general(x, x, contract=((1,), (0,))), 3, 3),
}


PARAMETERS = [
    pytest.param(case, dtype, id=f"{name}-{dtype.name}")
    for name, case in CASES.items()
    for dtype in case.dtypes
]


@pytest.mark.parametrize(("case", "dtype"), PARAMETERS)
def test_derivatives_to_second_order(case: Case, dtype: np.dtype):
    arguments = case.arguments(dtype)
    check_derivatives(make(case.body, *arguments), arguments, order=case.order)


ELEMENTWISE = [name for name in CASES if name.startswith("array.")]


@pytest.mark.parametrize("shape", [(), (2, 3), (0,), (2, 0)], ids=str)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_derivatives_of_any_shape(name: str, shape: tuple[int, ...]):
    case = CASES[name]
    resized = Case(case.body, (shape,) * len(case.shapes), case.bounds)
    arguments = resized.arguments(F64)
    check_derivatives(make(case.body, *arguments), arguments)


@pytest.mark.parametrize(("case", "dtype"), [p for p in PARAMETERS if p.values[0].any_precision])
def test_low_precision_agrees_with_high(case: Case, dtype: np.dtype):
    """The rules' constants and types must hold for f32 and complex64 too."""
    high = case.arguments(dtype)
    high_function = make(case.body, *high)
    rng = np.random.default_rng(1)
    seeds = [random_like(rng, y) for y in run(high_function, *high)]
    expected = run(vjp(high_function, range(len(high))), *high, *seeds)
    low, low_seeds = (
        [a.astype(LOW_PRECISION[a.dtype]) for a in arrays] for arrays in (high, seeds)
    )
    found = run(vjp(make(case.body, *low), range(len(low))), *low, *low_seeds)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == LOW_PRECISION[b.dtype]
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_cases_cover_every_rule():
    seen = set()
    for case in CASES.values():
        for dtype in case.dtypes:
            seen.update(map(type, make(case.body, *case.arguments(dtype)).walk()))
    assert set(RULES) - set(CONTROL_OPS) - {CallbackOp} <= seen


def test_the_rule_of_callbacks_refuses():
    def body(b: Builder, x: SSAValue) -> SSAValue:
        return b.callback(0, "cube", [x], [x.type])[0]

    for derivative in (jvp, vjp):
        with pytest.raises(GradatimError, match="what cube computes in Python"):
            derivative(make(body, np.ones(3)))


ZERO_DERIVATIVES: dict[str, Callable[[Builder, SSAValue], SSAValue]] = {
    "floor": Builder.floor,
    "ceil": Builder.ceil,
    "trunc": Builder.trunc,
    "round_even": Builder.round_even,
    "next_after": lambda b, x: b.next_after(x, b.full_like(x, 9)),
    "bits": lambda b, x: b.bitcast_convert(b.bitcast_convert(x, np.dtype(np.int64)), F64),
    "compare": lambda b, x: b.convert(b.compare("lt", x, b.full_like(x, 0)), F64),
    "is_finite": lambda b, x: b.convert(b.is_finite(x), F64),
    "integer": lambda b, x: b.convert(b.convert(x, np.dtype(np.int32)), F64),
    "argreduce": lambda b, x: b.convert(b.argreduce("max", x, 0), F64),
    "check": lambda b, x: b.convert(_small(b, x), F64),
    "threefry": lambda b, x: b.convert(_bits(b, b.convert(x, np.dtype("u4"))), F64),
    "integer_arithmetic": lambda b, x: b.convert(_integers(b, b.convert(x, np.dtype("i8"))), F64),
}


def _small(b: Builder, x: SSAValue) -> SSAValue:
    small = b.compare("lt", x, b.full_like(x, 9))
    return b.check(b.reduce("and", small, (0,)), "not {}", [x], number=0)


def _bits(b: Builder, x: SSAValue) -> SSAValue:
    return b.threefry_2x32("both", (x, x), (x, x))


def _integers(b: Builder, x: SSAValue) -> SSAValue:
    x = b.xor(b.and_(b.not_(x), x), b.or_(x, x))
    x = b.shift_left(b.shift_right_logical(x, x), b.shift_right_arithmetic(x, x))
    return b.reduce("max", b.add(b.population_count(x), b.count_leading_zeros(x)), (0,))


@pytest.mark.parametrize("name", ZERO_DERIVATIVES)
def test_steps_have_derivative_zero_without_any_op(name: str):
    body = ZERO_DERIVATIVES[name]
    x = np.array([-1.4, 0.3, 2.6])
    function = make(body, x)
    value = run(function, x)[0]
    forward, reverse = jvp(function), vjp(function)
    np.testing.assert_array_equal(run(forward, x, np.ones(3))[1], np.zeros_like(value))
    np.testing.assert_array_equal(run(reverse, x, np.ones_like(value))[1], np.zeros(3))
    for derivative in (forward, reverse):  # the zeros are the one further op
        assert len(list(derivative.body.block.ops)) == len(list(function.body.block.ops)) + 1


def test_zero_derivatives_cover_every_op_without_derivative():
    x = np.array([-1.4, 0.3, 2.6])
    seen = {type(op) for body in ZERO_DERIVATIVES.values() for op in make(body, x).walk()}
    operandless = {op for op, why in NON_DIFFERENTIABLE.items() if why == "it has no operands"}
    assert set(NON_DIFFERENTIABLE) - operandless <= seen
