"""Recomputation in reverse mode: what is kept under which policy, and that derivatives stay."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.frontend import tree

RNG = np.random.default_rng(0)
X = RNG.normal(size=5)
W = RNG.normal(size=(5, 5))
POLICIES = gd.checkpoint_policies


def chain(x: Any) -> Any:
    """Compute three functions whose derivatives need what they are of."""
    first = gd.checkpoint_name(np.sin(x), "first")
    second = gd.checkpoint_name(np.sin(first), "second.step")
    return np.sin(second)


def layers(x: Any) -> Any:
    return np.tanh(W @ np.tanh(W @ x))


KEPT: list[tuple[str, Any, Any, int]] = [
    ("nothing by default", chain, None, 1),
    ("nothing", chain, POLICIES.nothing_saveable, 1),
    ("everything", chain, POLICIES.everything_saveable, 3),
    ("one name", chain, POLICIES.save_only_these_names("second.step"), 2),
    ("two names", chain, POLICIES.save_only_these_names("first", "second.step"), 3),
    ("no such name", chain, POLICIES.save_only_these_names("other"), 1),
    ("products", layers, POLICIES.dots_saveable, 2),
    ("no products", layers, None, 1),
]


@pytest.mark.parametrize(("f", "policy", "kept"), [c[1:] for c in KEPT], ids=[c[0] for c in KEPT])
def test_what_is_kept(f: Any, policy: Any, kept: int) -> None:
    """Residuals are what the policy allows, and the argument where it is needed."""
    checkpointed = gd.checkpoint(f, policy=policy)
    result, pullback = gd.vjp(checkpointed, X)
    arrays = [r for r in pullback.residuals if r.size == 5]
    assert len(arrays) == kept
    np.testing.assert_allclose(result, f(X), rtol=1e-14)
    np.testing.assert_allclose(pullback(X)[0], gd.vjp(f, X)[1](X)[0], rtol=1e-13)


DERIVATIVES: list[tuple[str, Any]] = [
    ("jacrev", gd.jacrev),
    ("jacfwd", gd.jacfwd),
    ("hessian", gd.hessian),
    ("jacrev of jacrev", lambda f: gd.jacrev(gd.jacrev(f))),
    ("vmap of jacrev", lambda f: lambda x: gd.vmap(gd.jacrev(f))(np.stack([x, 2 * x]))),
    ("jacrev of vmap", lambda f: lambda x: gd.jacrev(gd.vmap(f))(np.stack([x, 2 * x]))),
    ("jvp", lambda f: lambda x: gd.jvp(f, (x,), (x,))),
    ("linearize", lambda f: lambda x: gd.linearize(f, x)[1](x)),
]


@pytest.mark.parametrize("derived", [d[1] for d in DERIVATIVES], ids=[d[0] for d in DERIVATIVES])
@pytest.mark.parametrize("policy", [None, POLICIES.everything_saveable, POLICIES.dots_saveable])
def test_derivatives_stay(policy: Any, derived: Any) -> None:
    found = derived(gd.checkpoint(layers, policy=policy))(X)
    for a, b in zip(tree.leaves(found), tree.leaves(derived(layers)(X))):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_computed_again_and_not_merged() -> None:
    text = gd.grad(lambda x: gd.checkpoint(chain)(x)).lower(0.3).as_text("array")
    assert text.count("array.sin") == 2  # the third one is of no use to the gradient
    text = gd.value_and_grad(lambda x: gd.checkpoint(chain)(x)).lower(0.3).as_text("array")
    assert text.count("array.sin") == 5
    text = gd.value_and_grad(chain).lower(0.3).as_text("array")
    assert text.count("array.sin") == 3


def test_forms() -> None:
    assert gd.remat is gd.checkpoint
    assert gd.checkpoint(chain) is gd.stage(chain).checkpoint()
    assert gd.checkpoint(chain, policy=POLICIES.nothing_saveable) is gd.checkpoint(chain)

    @partial(gd.checkpoint, static_argnums=1, policy=POLICIES.dots_saveable, prevent_cse=False)
    def scaled(x: Any, n: int) -> Any:
        return x * n if n > 1 else x

    assert scaled(2.0, 3) == 6.0
    assert gd.grad(lambda x: scaled(x, 3))(2.0) == 3.0

    @gd.checkpoint
    def of_trees(p: Any, *, scale: Any) -> Any:
        return {"y": p["a"] * scale}, 3

    assert of_trees({"a": 2.0}, scale=3.0) == ({"y": 6.0}, 3)
    assert gd.grad(lambda p: of_trees(p, scale=p["a"])[0]["y"])({"a": 2.0}) == {"a": 4.0}


def test_closing_over_traced_values() -> None:
    def outer(x: Any, y: Any) -> Any:
        return gd.checkpoint(lambda z: np.sin(z * x))(y)

    expected = (0.5 * np.cos(1.0), 2.0 * np.cos(1.0))
    np.testing.assert_allclose(gd.grad(outer, (0, 1))(2.0, 0.5), expected)


def test_names_outside_of_a_checkpoint_mean_nothing() -> None:
    assert gd.checkpoint_name(2.0, "a") == 2.0
    np.testing.assert_allclose(gd.grad(lambda x: chain(x).sum())(X), gd.vjp(chain, X)[1](X / X)[0])
    named = gd.jit(lambda x: gd.checkpoint_name({"x": x, "n": 3}, "a"))(2.0)
    assert named == {"x": 2.0, "n": 3}


def test_misuse() -> None:
    with pytest.raises(errors.ArgumentError, match="one of checkpoint_policies, not 'dots'"):
        gd.checkpoint(chain, policy="dots")  # type: ignore[arg-type]
    for name in ("a,b", "", 3):
        with pytest.raises(errors.ArgumentError, match="letters, digits, dots and underscores"):
            gd.checkpoint_name(1.0, name)  # type: ignore[arg-type]
        with pytest.raises(errors.ArgumentError, match="letters, digits, dots and underscores"):
            POLICIES.save_only_these_names(name)  # type: ignore[arg-type]
