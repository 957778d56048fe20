"""Call random programs with random arguments; compare the native call with the fallback.

Usage: python -m tests.backend.call_fuzzer SEED CALLS
Prints how many calls matched their program, and how many there were.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import decimal
import fractions
import pickle
import random
import sys
import typing
import warnings
from typing import Any

import numpy as np

from gradatim.backend.call import ArraySpec, CompiledCallable
from gradatim.backend.call import layout as tree
from gradatim.backend.call.fallback import CtypesCallable
from gradatim.backend.call.signature import WEAK_DTYPES

from .call_programs import SlowPathTaken, function, program, signature

PROGRAMS = 60


class Pair(typing.NamedTuple):
    first: Any
    second: Any


class PairSubclass(Pair):
    pass


@dataclasses.dataclass
class Record:
    left: Any
    right: Any


class DictSubclass(dict):
    pass


class ArraySubclass(np.ndarray):
    pass


class Hostile:
    """Raises in everything that a check could call by mistake."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError("==")

    def __len__(self):
        raise RuntimeError("len")

    def __float__(self):
        raise RuntimeError("float")

    def __array__(self, *_, **__):
        raise RuntimeError("array")

    __hash__ = object.__hash__


def recursive_list():
    items = []
    items.append(items)
    return items


def recursive_dict():
    items = {}
    items["a"] = items
    return items


ODD = [
    lambda: None,
    lambda: "text",
    lambda: b"bytes",
    lambda: 10**100,
    lambda: -(2**63) - 1,
    lambda: float("nan"),
    lambda: True,
    lambda: 3,
    lambda: 2.5,
    lambda: 1j,
    lambda: object,
    lambda: object(),
    lambda: Hostile(),
    lambda: recursive_list(),
    lambda: recursive_dict(),
    lambda: (),
    list,
    dict,
    lambda: {Hostile(): 1},
    lambda: decimal.Decimal(1),
    lambda: fractions.Fraction(1, 3),
    lambda: range(3),
    lambda: memoryview(b"12345678"),
    lambda: np.array(["a", None], object),
    lambda: np.array(["ab", "c"]),
    lambda: np.array(None),
    lambda: np.datetime64("2020-01-01"),
    lambda: np.zeros(3, "M8[s]"),
    lambda: np.zeros(3, [("x", "f8"), ("y", "i4")]),
    lambda: np.zeros(2, np.longdouble),
    lambda: np.longdouble(1),
    lambda: np.str_("a"),
    lambda: np.void(b"abcdefgh"),
    lambda: np.dtype("f8"),
    lambda: np.float64,
    lambda: np.nan,
    lambda: np.ma.masked,
    lambda: np.random.default_rng(0),
    lambda: (x for x in ()),
    lambda: sys.modules[__name__],
]

ARRAY_CHANGES = [
    lambda a: a,
    lambda a: a[::-1] if a.ndim else a,
    lambda a: a.T,
    lambda a: np.asfortranarray(a),
    lambda a: a.astype(a.dtype.newbyteorder()),
    lambda a: a.view(ArraySubclass),
    lambda a: np.ma.masked_array(a),
    lambda a: np.atleast_2d(a).view(np.ndarray)[..., ::2],
    lambda a: a.astype("q"),
    lambda a: a.astype("l"),
    lambda a: a.astype("f4"),
    lambda a: a.astype(object),
    lambda a: a[None],
    lambda a: a.reshape(-1),
    lambda a: a[()],
    lambda a: a.tolist(),
    lambda a: np.broadcast_to(a, (2, *a.shape)),
    lambda a: pickle.loads(pickle.dumps(a)),
    lambda a: copy.deepcopy(a),
    lambda a: np.lib.stride_tricks.as_strided(a, a.shape, [0] * a.ndim),
    lambda a: np.require(a, requirements="O"),
    lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape) if a.size else a,
    lambda a: np.empty((0, *a.shape), a.dtype),
    lambda a: np.asmatrix(a) if a.ndim == 2 else a,
]

STATIC = [None, 3, "mode", 2.5, 10**30, "long text " * 3]


class Fuzzer:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def spec(self) -> ArraySpec:
        if self.random.random() < 0.2:
            weak = self.random.choice(list(WEAK_DTYPES))
            return ArraySpec(WEAK_DTYPES[weak], (), weak)
        dtype = np.dtype(self.random.choice("?bhilqBHILQefdFD" + "d" * 10))
        shape = tuple(self.random.choice([0, 1, 2, 3]) for _ in range(self.random.randrange(4)))
        return ArraySpec(dtype, shape)

    def layout(self, leaves: list[int], depth: int = 0) -> tree.Layout:
        """Return a random layout of the given leaves; where they do not fill it, it is static."""
        if depth > 2 or (len(leaves) == 1 and self.random.random() < 0.5):
            if len(leaves) == 1:
                return tree.Leaf(leaves[0])
            return tree.Tuple(tuple(map(tree.Leaf, leaves)))
        if not leaves:
            value = self.random.choice(STATIC)
            return tree.NoneNode() if value is None else tree.Static(value)
        kind = self.random.choice(["tuple", "list", "dict", "pair", "record"])
        parts = 2 if kind in ("pair", "record") else self.random.randrange(1, 4)
        cuts = sorted(self.random.randrange(len(leaves) + 1) for _ in range(parts - 1))
        bounds = [0, *cuts, len(leaves)]
        pieces = [leaves[bounds[i] : bounds[i + 1]] for i in range(parts)]
        children = tuple(self.layout(piece, depth + 1) for piece in pieces)
        match kind:
            case "tuple":
                return tree.Tuple(children)
            case "list":
                return tree.List(children)
            case "dict":
                return tree.Dict(tuple("abc"[:parts]), children)
            case "pair":
                return tree.NamedTuple(self.random.choice([Pair, PairSubclass]), children)
        return tree.Dataclass(Record, ("left", "right"), children)

    def signature(self) -> Any:
        inputs = [self.spec() for _ in range(self.random.randrange(6))]
        order = list(range(len(inputs)))
        self.random.shuffle(order)
        top = self.layout(order)
        children = top.children if hasattr(top, "children") else (top,)
        keywords = tuple(
            sys.intern(f"k{i}") for i in range(self.random.randrange(len(children) + 1))
        )
        keywords = keywords if self.random.random() < 0.3 else ()
        result = self.layout(list(range(len(inputs))))
        return signature(inputs, result, tuple(children), keywords=keywords)

    def value(self, spec: ArraySpec) -> Any:
        if self.random.random() < 0.05:
            return self.random.choice(ODD)()
        if spec.weak is not None:
            return spec.dtype.type(self.random.choice([0, 1, -1, 2])).item()
        array = np.arange(np.prod(spec.shape, dtype=int)).astype(spec.dtype).reshape(spec.shape)
        if self.random.random() < 0.1:
            array = self.random.choice(ARRAY_CHANGES)(array)
        if isinstance(array, np.ndarray) and self.random.random() < 0.3:
            return array[()]
        return array

    def fill(self, layout: tree.Layout, inputs: tuple[ArraySpec, ...]) -> Any:
        if self.random.random() < 0.02:
            return self.random.choice(ODD)()
        match layout:
            case tree.Leaf(index):
                return self.value(inputs[index])
            case tree.NoneNode():
                return None
            case tree.Static(value):
                return copy.deepcopy(value)
        return self.container(layout, [self.fill(child, inputs) for child in layout.children])

    def container(self, layout: tree.Layout, children: list[Any]) -> Any:
        if children and self.random.random() < 0.03:
            self.random.choice([children.pop, lambda: children.append(None), children.reverse])()
        match layout:
            case tree.List():
                return children
            case tree.Dict(keys):
                items = list(zip(keys, children, strict=False))
                if self.random.random() < 0.3:
                    self.random.shuffle(items)
                kinds = [dict] * 20 + [DictSubclass, collections.OrderedDict, list]
                return self.random.choice(kinds)(items)
            case tree.NamedTuple(type_):
                return tuple.__new__(self.random.choice([type_] * 20 + [Pair, tuple]), children)
            case tree.Dataclass():
                return Record(*[*children, None, None][:2])
        return tuple(children)

    def arguments(self, call: Any) -> tuple[list[Any], dict[str, Any]]:
        args = [self.fill(layout, call.inputs) for layout in call.parameters]
        if self.random.random() < 0.03:
            self.random.choice([lambda: args.append(None), lambda: args and args.pop()])()
        split = max(0, len(args) - len(call.keywords))
        kwargs = dict(zip(call.keywords, args[split:], strict=False))
        if self.random.random() < 0.03:
            kwargs["surprise"] = None
        return args[:split], kwargs


def outcome(run: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    try:
        return run(*args, **kwargs)
    except (SlowPathTaken, RuntimeError):
        return SlowPathTaken


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and bool(one.tobytes() == other.tobytes())
        )
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        return same(vars(one), vars(other))
    if isinstance(one, dict):
        return list(one) == list(other) and same(list(one.values()), list(other.values()))
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return one is other or bool(one == other)


def main(seed: int, calls: int) -> None:
    warnings.simplefilter("ignore")
    fuzzer = Fuzzer(seed)
    signatures = [fuzzer.signature() for _ in range(PROGRAMS)]
    programs = [program(s, release_gil=i % 2 == 1) for i, s in enumerate(signatures)]
    groups = [fuzzer.random.sample(programs, 3) for _ in range(PROGRAMS)]
    functions = [
        tuple(function(*group, kind=kind) for kind in (CompiledCallable, CtypesCallable))
        for group in groups
    ]
    matched = 0
    for _ in range(calls):
        i = fuzzer.random.randrange(PROGRAMS)
        args, kwargs = fuzzer.arguments(fuzzer.random.choice(groups[i]).signature)
        results = [outcome(run, args, kwargs) for run in functions[i]]
        assert same(*results), (i, args, kwargs, results)
        matched += results[0] is not SlowPathTaken
    print(matched, calls)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
