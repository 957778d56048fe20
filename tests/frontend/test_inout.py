"""In-out arguments change in place: as with NumPy, with no copies where none are needed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradatim as gd
from gradatim import tree

from .mutation_programs import PROGRAMS, Program

RANDOM = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape)


class Case(NamedTuple):
    """A function that changes arguments, and arguments for it.

    Attributes:
        run: the function.
        arguments: what it is called with.
        inout: the positions of what it changes.
        copies: how many arrays are copied all the same.
        takes_memory: whether it needs memory of an array's size.
    """

    run: Callable[..., Any]
    arguments: tuple[Any, ...]
    inout: tuple[int, ...] = (0,)
    copies: int = 0
    takes_memory: bool = False


def elementwise(x, y):
    x *= np.sin(y)
    x += 1


def one_element(x, i):
    x[i] += 1


def slices(x):
    x[1:4] = 2 * x[1:4]
    x[10:] -= x[10:] ** 2


def neighbours(x):
    x[1:-1] = 0.5 * (x[2:] + x[:-2])


def gauss_seidel(u, f):
    for i in range(1, len(u) - 1):
        u[i] = 0.5 * (u[i - 1] + u[i + 1] + f[i])


def floyd_warshall(d):
    for k in range(len(d)):
        d[:] = np.minimum(d, d[:, k, None] + d[k])


def sort(x):
    x.sort()


def exchange(x, y):
    old = x.copy()
    x[:] = y
    y[:] = old


def rotation(x, y):
    x[:], y[:] = 0.6 * x + 0.8 * y, 0.6 * y - 0.8 * x


def steps(x, v, n):
    for _ in range(n):
        v -= 0.1 * x
        x += 0.1 * v
    return v.sum()


def until(x):
    while x.max() > 0.1:
        x *= 0.5


def branch(x, up):
    if up > 0:
        x += 1
    else:
        x[0] = 7


def nested(state, scale):
    for weights, biases in state["layers"]:
        weights *= scale
        biases[1:3] = scale
    return state["layers"][0][0].sum()


def old_and_new(x):
    old = x.copy()
    x += 1
    return old, x, x.sum()


def transposed(x):
    x.T[0] = 3
    x.reshape(-1)[1:3] += 1


def phases(z):
    z *= 1j
    z[0] = 2


def indexed(x, indices):
    np.add.at(x, indices, 1.5)
    x[indices[:2]] = 4


def masked(x):
    x[x < 0] *= -2


def flags(x, y):
    x |= y
    x[3] = False


def all_anew(x, y):
    x[:] = np.exp(y)


CASES = {
    "elementwise": Case(elementwise, (normal(1000), normal(1000))),
    "one element": Case(one_element, (normal(1000), 3)),
    "slices": Case(slices, (normal(1000),)),
    "neighbours": Case(neighbours, (normal(1000),), copies=1, takes_memory=True),
    "Gauss-Seidel": Case(gauss_seidel, (normal(1000), normal(1000))),
    "Floyd-Warshall": Case(floyd_warshall, (abs(normal(40, 40)),), takes_memory=True),
    "sort": Case(sort, (normal(1000),), copies=1, takes_memory=True),
    "exchange": Case(exchange, (normal(1000), normal(1000)), (0, 1), 3, True),
    "rotation": Case(rotation, (normal(1000), normal(1000)), (0, 1)),
    "steps": Case(steps, (normal(1000), normal(1000), 10), (0, 1)),
    "until": Case(until, (normal(1000),)),
    "branch": Case(branch, (normal(1000), 1.0)),
    "other branch": Case(branch, (normal(1000), -1.0)),
    "nested": Case(
        nested, ({"layers": [(normal(500), normal(500)), (normal(400), normal(400))]}, 3.0)
    ),
    "old and new": Case(old_and_new, (normal(1000),), copies=2),
    "views": Case(transposed, (normal(40, 30),), copies=1, takes_memory=True),
    "complex": Case(phases, (normal(500) + 1j * normal(500),), takes_memory=True),
    "indexed": Case(indexed, (normal(1000), np.array([3, 999, 3]))),
    "masked": Case(masked, (normal(1000),)),
    "all anew": Case(all_anew, (normal(1000), normal(1000))),
    "float32": Case(elementwise, (normal(1000).astype("f4"), normal(1000).astype("f4"))),
    "booleans": Case(flags, (np.arange(1000) > 3, np.arange(1000) < 5)),
    "integers": Case(slices, (np.arange(1000),)),
    "small": Case(rotation, (normal(3), normal(3)), (0, 1)),
    "empty": Case(rotation, (normal(0), normal(0)), (0, 1)),
    "0-d": Case(elementwise, (np.array(0.5), np.array(0.25))),
}


def require_alike(found: Any, expected: Any) -> None:
    for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        assert np.asarray(a).dtype.newbyteorder("=") == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-6 if np.size(b) > 999 else 1e-12)


def require_same_changes(case: Case, arguments: Any) -> None:
    expected = copy.deepcopy(case.arguments)
    staged = gd.stage(case.run, inout=case.inout)
    for _ in range(3):  # traced, by compiled code, and once more
        wanted = case.run(*expected)
        require_alike(staged(*arguments), wanted)
        require_alike(arguments, expected)


@pytest.mark.parametrize("name", CASES)
def test_as_with_numpy(name: str) -> None:
    require_same_changes(CASES[name], copy.deepcopy(CASES[name].arguments))


@pytest.mark.parametrize("name", CASES)
def test_copies_and_memory(name: str) -> None:
    case = CASES[name]
    lowered = gd.stage(case.run, inout=case.inout).lower(*case.arguments)
    assert len(lowered.copies()) == case.copies
    sizes = [
        int(line.split("memref<")[-1].split("xi8>")[0])
        for line in lowered.as_text("loop").splitlines()
        if "memref.alloc" in line and "xi8>" in line
    ]
    assert (max(sizes, default=0) >= 4000) == case.takes_memory


def strided(x: np.ndarray) -> np.ndarray:
    return np.repeat(x, 2, axis=-1)[..., ::2]


def foreign(x: np.ndarray) -> np.ndarray:
    return x.astype(x.dtype.newbyteorder())


def unaligned(x: np.ndarray) -> np.ndarray:
    memory = np.zeros(x.nbytes + 1, np.uint8)
    found = memory[1:].view(x.dtype).reshape(x.shape)
    found[...] = x
    return found


def reversed_order(x: np.ndarray) -> np.ndarray:
    return np.asfortranarray(x)


@pytest.mark.parametrize("form", [strided, foreign, unaligned, reversed_order])
@pytest.mark.parametrize("name", ["slices", "Floyd-Warshall", "rotation", "views", "complex"])
def test_arrays_that_compiled_code_does_not_read(form: Callable[..., Any], name: str) -> None:
    require_same_changes(CASES[name], tuple(map(form, CASES[name].arguments)))


def test_compiled_code_changes_the_memory_itself() -> None:
    """A Python function that is called in between sees what has been done so far."""
    seen = []
    x = np.zeros(1000)

    def look(values: Any) -> Any:
        seen.append((np.shares_memory(values, x), x[3]))
        return np.float64(values[3] + 1)

    def f(x: Any) -> None:
        x[3] = 5
        x[4] = gd.pure_callback(look, gd.ShapeDtypeStruct((), np.float64), x)

    gd.stage(f, inout=0)(x)
    assert x[3] == 5 and x[4] == 6 and seen[0][1] == 5


def test_decisions_by_values_leave_the_arguments_of_other_decisions() -> None:
    def f(x: Any, n: Any) -> None:
        x += [1.0, 10.0, 100.0][n]

    staged = gd.stage(f, inout=0)
    x = np.zeros(3)
    for n in (0, 1, 0, 2):
        staged(x, n)
    np.testing.assert_array_equal(x, 112)


def test_a_closed_over_array_stays() -> None:
    table = normal(1000)

    def f(x: Any) -> None:
        x[1:] += table[:-1]

    x, expected = table.copy(), table.copy()
    gd.stage(f, inout=0)(x)
    f(expected)
    np.testing.assert_array_equal(x, expected)
    before = table.copy()
    gd.stage(f, inout=0)(table)
    np.testing.assert_array_equal(table, expected)
    f(before)
    np.testing.assert_array_equal(x, expected)


def test_the_compiled_program_alone_refuses_what_it_must_not_change() -> None:
    program = gd.stage(one_element, inout=0).lower(np.ones(1000), 3).compile()
    x = np.ones(1000)
    program(x, 3)
    assert x[3] == 2
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        program(x, 3)
    assert x[3] == 2


def test_static_arguments_and_keywords() -> None:
    def f(power: Any, x: Any, *, shift: Any) -> Any:
        x **= power
        x += shift
        return shift

    x = np.arange(4.0)
    staged = gd.stage(f, inout=1, static_argnums=0)
    assert staged(2, x, shift=1.5) == 1.5
    np.testing.assert_array_equal(x, np.arange(4.0) ** 2 + 1.5)


def test_by_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADATIM_EXECUTE", "interpreter")

    def f(x: Any, y: Any) -> Any:
        x += y
        y *= 2
        return x[0]

    x, y = np.ones(3), np.arange(3.0)
    assert gd.stage(f, inout=(0, 1))(x, y) == 1
    np.testing.assert_array_equal(x, [1, 2, 3])
    np.testing.assert_array_equal(y, [0, 2, 4])


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_that_change_arrays(program: Program) -> None:
    random = np.random.default_rng(0)
    arguments = [np.asarray(random.normal(size=shape)) for shape in program.shapes]
    expected = copy.deepcopy(arguments)
    with np.errstate(all="ignore"):
        wanted = program.run(*expected)
    staged = gd.stage(program.run, inout=range(len(arguments)))
    require_alike(staged(*arguments), wanted)
    require_alike(arguments, expected)
