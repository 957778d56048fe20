"""Looking at functions without running them: types, text, scopes; trees as vectors."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.flatten_util import ravel_pytree
from gradatim.frontend import tree

Struct = gd.ShapeDtypeStruct


def test_shape_dtype_struct() -> None:
    type_ = Struct([2, np.int64(3)], "float32")
    assert (type_.shape, type_.dtype, type_.weak_type) == ((2, 3), np.dtype("f4"), False)
    assert (type_.ndim, type_.size, len(type_)) == (2, 6, 2)
    assert type_ == Struct((2, 3), np.float32)
    assert hash(type_) == hash(Struct((2, 3), np.float32))
    assert type_ != Struct((2, 3), np.float32, weak_type=True)
    assert type_.update(shape=(4,), weak_type=True) == Struct((4,), "f4", weak_type=True)
    assert (str(type_), str(Struct((), int, weak_type=True))) == ("f32[2,3]", "Python int")
    assert repr(type_) == "ShapeDtypeStruct(shape=(2, 3), dtype=float32)"
    assert Struct((0,), bool)
    assert pickle.loads(pickle.dumps(type_)) == type_
    with pytest.raises(TypeError, match="unsized"):
        len(Struct((), float))
    with pytest.raises(AttributeError):
        type_.shape = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        Struct((2.5,), float)  # type: ignore[arg-type]


def test_eval_shape() -> None:
    def f(x: Any, *, p: Any) -> Any:
        return {"r": x @ p["w"], "n": 3}

    x, p = np.ones((2, 3)), {"w": Struct((3, 4), "f4")}
    expected = {"r": Struct((2, 4), "f8"), "n": Struct((), int, weak_type=True)}
    assert gd.eval_shape(f, x, p=p) == gd.stage(f).eval_shape(x, p=p) == expected
    gradients = gd.eval_shape(gd.grad(lambda x: x["a"].sum()), {"a": Struct((5,), "f4")})
    assert gradients == {"a": Struct((5,), "f4")}
    pullback = gd.eval_shape(lambda x: gd.vjp(np.sin, x)[1], 1.0)
    assert tree.leaves(pullback) == [Struct((), "f8")]


def test_make_ir() -> None:
    traced = gd.make_ir(gd.vmap(lambda x: x * 2))(np.ones(3))
    assert str(traced) == traced.as_text()
    assert "func.func @lambda(%x: tensor<3xf64>) -> tensor<3xf64>" in str(traced)
    assert "array.mul" in str(traced)
    assert f"{__file__}" in traced.as_text(debug_info=True)
    traced, shape = gd.make_jaxpr(lambda x, n: x * n, static_argnums=1, return_shape=True)(1.0, 3)
    assert shape == Struct((), "f8", weak_type=True)
    with pytest.raises(errors.StaticArgumentError, match="no positional parameter"):
        gd.make_ir(lambda x: x, static_argnums=1)


def test_scopes_are_in_the_locations() -> None:
    @gd.named_scope("decorated")
    def scaled(x: Any) -> Any:
        return x * 3

    def f(x: Any) -> Any:
        with gd.named_scope("outer"), gd.named_scope("inner"):
            y = np.sin(x)
        return np.cos(y) + scaled(x) + gd.named_call(np.exp, name="called")(x)

    text = gd.make_ir(f)(1.0).as_text(debug_info=True)
    scopes = {"sin": "outer/inner", "mul": "decorated", "exp": "called"}
    for line in text.splitlines():
        for op, scope in scopes.items():
            assert f'loc("{scope}"(' in line or f"array.{op} " not in line
    assert text.count('loc("outer/inner"(') == 1
    assert gd.jit(f)(1.0) == f(1.0)
    derivative = gd.grad(f).lower(1.0).as_text("array", debug_info=True)
    assert 'loc("vjp"("outer/inner"(' in derivative
    with pytest.raises(errors.ArgumentError, match="must be a str, not 3"), gd.named_scope(3):  # type: ignore[arg-type]
        pass


TREES: list[Any] = [
    {"a": np.ones(2, np.float32), "b": 3, "c": [np.arange(6).reshape(2, 3)]},
    (np.float32(1.5), np.ones((0, 2), np.float32)),
    [1 + 2j, np.ones(2)],
    2.0,
    (),
    {"none": None},
]


@pytest.mark.parametrize("value", TREES)
def test_ravel_pytree(value: Any) -> None:
    flat, unravel = ravel_pytree(value)
    assert flat.ndim == 1
    parts = [np.ravel(leaf) for leaf in tree.leaves(value)] or [np.zeros(0)]
    np.testing.assert_array_equal(flat, np.concatenate(parts))
    back = unravel(flat)
    assert tree.structure(back) == tree.structure(value)
    for a, b in zip(tree.leaves(back), tree.leaves(value)):
        assert a.dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b)
    assert ravel_pytree(value)[1] == unravel
    traced = gd.jit(lambda value: ravel_pytree(value)[1](ravel_pytree(value)[0]))(value)
    assert tree.structure(traced) == tree.structure(value)


def test_ravel_in_derivatives() -> None:
    flat, unravel = ravel_pytree({"w": np.ones((2, 2)), "b": 3.0})
    gradient = gd.grad(lambda v: (unravel(v)["w"] ** 2).sum() * unravel(v)["b"])(flat)
    np.testing.assert_array_equal(gradient, [4.0, 6.0, 6.0, 6.0, 6.0])
    assert gd.jit(unravel)(flat)["b"] == 3.0
    for wrong in (flat[1:], flat.astype("f4")):
        with pytest.raises(errors.ArgumentError, match=r"unravel expected f64\[5\], found"):
            unravel(wrong)
