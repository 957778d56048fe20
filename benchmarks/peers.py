"""The libraries that are compared, behind one interface, so that a program is written once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np

Function = Callable[..., Any]


class Peer:
    """A library that runs programs on arrays.

    The methods that transform functions are there for libraries that stage or differentiate; a
    workload written by hand for a library needs only `argument` and `waiting`.

    Attributes:
        name: what the tables call it.
        package: the distribution.
        np: the namespace that holds ``sin``, ``sum`` and the like.
        lax: the namespace that holds ``scan`` and other loops, of libraries that have one.
        random: the namespace that draws random numbers under keys, where there is one.
    """

    name: str
    package: str
    np: Any = np
    lax: Any = None
    random: Any = None

    def grad(self, function: Function, argnums: int | Sequence[int] = 0) -> Function:
        """Return the gradient of a function that gives one number."""
        raise TypeError(f"{self.name} does not differentiate")

    def hessian(self, function: Function) -> Function:
        """Return the second derivatives of a function that gives one number."""
        raise TypeError(f"{self.name} does not differentiate twice")

    def vmap(self, function: Function) -> Function:
        """Return a function mapped over the first axis of its arguments."""
        raise TypeError(f"{self.name} does not map functions")

    def jit(self, function: Function) -> Function:
        """Return a function as the library runs it best."""
        return function

    def use_double(self, double: bool) -> None:
        """Let numbers be float64, where that is an option."""

    def argument(self, value: Any) -> Any:
        """Return an argument, given as NumPy arrays and numbers, in the library's own types."""
        return value

    def waiting(self, result: Any) -> str:
        """Return Python text that, behind a call, waits until its result is computed."""
        return ""

    def to_numpy(self, result: Any) -> Any:
        """Return a result with NumPy arrays as leaves."""
        return result


class Gradatim(Peer):
    """This package: NumPy arrays in, NumPy arrays out."""

    name = package = "gradatim"

    def __init__(self) -> None:
        import gradatim

        self.lax, self.random = gradatim.lax, gradatim.random
        self.grad, self.hessian = gradatim.grad, gradatim.hessian
        self.vmap, self.jit = gradatim.vmap, gradatim.jit


class Jax(Peer):
    """JAX, compiled by ``jax.jit``, with arguments that are JAX arrays already."""

    name = package = "jax"

    def __init__(self) -> None:
        import jax

        self._jax = jax
        self.np, self.lax, self.random = jax.numpy, jax.lax, jax.random
        self.grad, self.hessian = jax.grad, jax.hessian
        self.vmap, self.jit = jax.vmap, jax.jit

    def use_double(self, double: bool) -> None:
        """Set ``jax_enable_x64``; what was compiled under the other setting is kept apart."""
        self._jax.config.update("jax_enable_x64", double)

    def argument(self, value: Any) -> Any:
        """Return arrays as JAX arrays; Python numbers stay."""
        if isinstance(value, (float, int)) and not isinstance(value, np.generic):
            return value
        return self._jax.tree.map(lambda leaf: self._jax.numpy.array(leaf), value)

    def waiting(self, result: Any) -> str:
        """One executable computes all results, so that waiting for the first is enough."""
        path, leaf = "", result
        while isinstance(leaf, (dict, tuple, list)):
            key = next(iter(leaf)) if isinstance(leaf, dict) else 0
            path, leaf = f"{path}[{key!r}]", leaf[key]
        return f"{path}.block_until_ready()"

    def to_numpy(self, result: Any) -> Any:
        """Copy the arrays out."""
        return self._jax.tree.map(np.asarray, result)


class JaxFromNumpy(Jax):
    """JAX called with NumPy arrays, as a NumPy program would call it."""

    name = "jax (NumPy in)"

    def argument(self, value: Any) -> Any:
        """Leave NumPy arrays as they are."""
        return value


class Torch(Peer):
    """PyTorch, run eagerly: ``torch.compile`` needs a C++ compiler on the machine."""

    name = package = "torch"

    def __init__(self) -> None:
        self._torch = self.np = import_module("torch")
        self.grad, self.vmap = self._torch.func.grad, self._torch.func.vmap

    def argument(self, value: Any) -> Any:
        """Return arrays and numbers as tensors."""
        return _map(lambda leaf: self._torch.from_numpy(np.array(leaf)), value)

    def to_numpy(self, result: Any) -> Any:
        """View the tensors as arrays."""
        return _map(np.asarray, result)


class Numpy(Peer):
    """NumPy: the program written by hand, with its derivatives."""

    name = package = "numpy"


class Numba(Peer):
    """Numba: loops written by hand, with their derivatives, compiled by ``numba.njit``."""

    name = package = "numba"


PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (Gradatim, Jax, JaxFromNumpy, Numba, Numpy, Torch)
}


PACKAGES = tuple(dict.fromkeys(peer.package for peer in PEERS.values()))


def installed(packages: Iterable[str]) -> set[str]:
    """Return the names of the peers that belong to packages and are installed."""
    found = {package for package in packages if find_spec(package) is not None}
    return {name for name, peer in PEERS.items() if peer.package in found}


def versions() -> dict[str, str]:
    """Return the version of each installed package that takes part."""
    found = {}
    for package in (*PACKAGES, "llvmlite", "xdsl"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _map(function: Function, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _map(function, item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_map(function, item) for item in value)
    return function(value)
