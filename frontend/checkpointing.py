"""Recomputation in reverse mode: what to keep of a function, and what to compute again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import tree
from .boundary import public
from .errors import ArgumentError
from .stage import Staged, stage
from .tracer import Tracer
from .tracing import lift_all


class Policy(NamedTuple):
    """What reverse mode may keep of a function.

    Attributes:
        text: as the IR spells it.
    """

    text: str


class checkpoint_policies:
    """What reverse mode may keep of a function under `checkpoint`."""

    nothing_saveable = Policy("nothing")
    everything_saveable = Policy("everything")
    dots_saveable = Policy("dots")
    checkpoint_dots = dots_saveable

    @staticmethod
    def save_only_these_names(*names_which_can_be_saved: str) -> Policy:
        """Return the policy that keeps only what `checkpoint_name` marks by these names.

        Raises:
            ArgumentError: (a TypeError) if a name is not of letters, digits, dots and underscores.
        """
        return Policy(f"names:{','.join(map(_name, names_which_can_be_saved))}")


@public
def checkpoint(
    fun: Callable[..., Any],
    *,
    prevent_cse: bool = True,
    policy: Policy | None = None,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Staged:
    """Return ``fun``, of which reverse mode computes again what it needs, instead of keeping it.

    Args:
        fun: the function.
        prevent_cse: has no effect: what is computed again is never merged with the first time.
        policy: what may be kept all the same; nothing by default, see `checkpoint_policies`.
        static_argnums: positions of arguments that are compiled in.
        static_argnames: names of such arguments.

    Raises:
        ArgumentError: (a TypeError) if ``policy`` is none.

    Example:
        >>> grad(checkpoint(lambda x: np.sin(np.sin(x))))(0.0)
        np.float64(1.0)
    """
    staged = stage(fun, static_argnums=static_argnums, static_argnames=static_argnames)
    return staged.checkpoint(policy)


remat = checkpoint


def policy_text(policy: Any) -> str:
    """Return how the IR spells a policy; None keeps nothing.

    Raises:
        ArgumentError: if it is none.
    """
    if policy is None:
        return checkpoint_policies.nothing_saveable.text
    if not isinstance(policy, Policy):
        raise ArgumentError(f"policy must be one of checkpoint_policies, not {policy!r}")
    return policy.text


@public
def checkpoint_name(x: Any, name: str) -> Any:
    """Return x, marked by a name, by which a policy of `checkpoint` can let it be kept.

    Args:
        x: a tree of arrays.
        name: of letters, digits, dots and underscores.

    Raises:
        ArgumentError: (a TypeError) if it is not.
    """
    label = _name(name)
    return tree.map(lambda leaf: _marked(leaf, label), x)


def _marked(leaf: Any, label: str) -> Any:
    if type(leaf) is not Tracer:
        return leaf
    trace, (lifted,) = lift_all(leaf)
    assert isinstance(lifted, Tracer)
    return trace.tracer(trace.builder.name(label, lifted.value), lifted.weak)


def _name(name: Any) -> str:
    plain = isinstance(name, str) and name.replace(".", "").replace("_", "").isalnum()
    if not plain:
        raise ArgumentError(
            f"a name to keep values by must be of letters, digits, dots and underscores: {name!r}"
        )
    return str(name)
