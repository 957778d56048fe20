"""Programs with Python's control flow on their arguments, with arguments that take all paths."""

# ruff: noqa: B007, C419, SIM102, SIM108  # written as users write

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np


class Program(NamedTuple):
    """A function and arguments for it.

    Attributes:
        function: computes by NumPy and Python.
        arguments: several tuples of them, of the same types.
        differentiable: whether to differentiate it by its first argument.
    """

    function: Callable[..., Any]
    arguments: list[tuple[Any, ...]]
    differentiable: bool = True


# Branches


def if_else(x):
    if x > 0:
        y = x * 2
    else:
        y = -x
    return y


def if_alone(x):
    y = x
    if x > 1:
        y = y + 10
    return y


def elif_chain(x):
    if x < -1:
        y = -x
    elif x < 0:
        y = x * x
    elif x < 1:
        y = x * 3
    else:
        y = 7.0
    return y


def early_return(x):
    if x > 2:
        return x * x
    y = x + 1
    return y * 3


def two_early_returns(x):
    if x > 2:
        return x * x
    if x < -2:
        return -x
    y = x + 1
    return y * 3


def partial_return(x):
    y = x * 2
    if x > 0:
        if y > 3:
            return y
        y = y + 100
    return y - 1


def partial_returns_in_a_row(x):
    if x > 0:
        if x > 10:
            return x
        x = x * 2
    if x > 3:
        if x > 5:
            return x + 1
        x = x * 3
    if x < -3:
        if x < -5:
            return x + 2
    return x


def return_in_both(x):
    if x > 0:
        return x
    else:
        return -x


def nested_ifs(x, y):
    if x > 0:
        if y > 0:
            z = x + y
        else:
            z = x - y
            if z > 3:
                z = z * 2
    else:
        z = x * y
    return z


def several_variables(x):
    a, b = x, 1.0
    if x > 0:
        a, b = b, a
        c = a + b
    else:
        c = a
    return a, b, c


def integers_become_floats(x):
    n = 1
    if x > 0:
        n = 2.5
    return n * x


def same_on_both_sides(x):
    mode = "a"
    if x > 0:
        mode = "b"
        y = x
    else:
        mode = "b"
        y = 2 * x
    return y if mode == "b" else 0.0


def undefined_but_unused(x):
    if x > 0:
        t = x * 2
        y = t + 1
    else:
        y = x
    return y


def conditional_expression(x):
    return x if x > 0 else x * x


def nested_conditional_expressions(x):
    return (x if x > 2 else x + 1) if x > 0 else (-x if x < -2 else 3.0)


def boolean_operators(x, y):
    if x > 0 and y > 0:
        z = x + y
    elif x > 0 or y > 0:
        z = x - y
    elif not (x < -2):
        z = x * y
    else:
        z = y
    return z


def operators_give_operands(x, y):
    return (x and y) + (x or y)


def chained_comparison(x):
    if -1 < x <= 1:
        return x
    return x * x


def chain_of_calls(x):
    return 1.0 if abs(x) < np.abs(x + 1) < 3 else 0.0 * x


def tuple_results(x):
    if x > 0:
        return x, {"a": x * 2}
    return -x, {"a": x * 3}


def array_condition(x):
    if np.all(x > 0):
        return x * 2
    if (x < 0).any() and x.sum() > 1:
        return x - 1
    return x


def list_in_branch(x):
    xs = [x]
    if x > 0:
        xs.append(x * 2)
    else:
        xs.append(x * 3)
    return xs[0] + xs[1]


def dictionary_in_branch(x):
    d = {"a": x, "b": 1.0}
    if x > 0:
        d["a"] = x * 2
        d["b"] = x
    return d["a"] * d["b"]


def new_entry_on_both_paths(x):
    d = {}
    if x > 0:
        d["k"] = x
    else:
        d["k"] = -x
    return d["k"]


def attribute_in_branch(x):
    s = SimpleNamespace(v=x)
    if x > 0:
        s.v = s.v * 5
    return s.v


@dataclass
class Counter:
    """An object whose method changes it."""

    total: Any = 0.0
    log: list[Any] = field(default_factory=list)

    def add(self, x):
        if x > 1:
            self.total = self.total + x
        else:
            self.total = self.total - x


def method_changes_object(x):
    c = Counter()
    c.add(x)
    if x > 0:
        c.add(x * 3)
    return c.total


def closure_sees_change(x):
    y = x

    def read():
        return y * 2

    if x > 0:
        y = x + 1
    return read()


def nonlocal_in_branch(x):
    y = x

    def bump():
        nonlocal y
        y = y * 3

    if x > 0:
        bump()
    return y


def helper(x):
    if x > 1:
        return x * 10
    return x


def calls_helper(x):
    return helper(x) + helper(x - 5)


def calls_lambda(x):
    f = lambda v: v if v > 0 else -v  # noqa: E731
    return f(x) + f(x - 1)


def assigns_by_walrus(x):
    if (y := x * 2) > 3:
        return y
    return y - 1


def augmented(x):
    y = x * 1.0
    if x > 0:
        y += 5
        y *= 2
    return y


def in_place_in_branch(x):
    y = x * 1.0
    if y[0] > 0:
        y[1] = 7.0
    else:
        y[2] = x[0]
    return y


def made_array_in_branch(x):
    y = np.zeros(3)
    if x > 0:
        y[1] = x
    return y


def star_assignment(x):
    a, *b = (x, x + 1, x + 2)
    if x > 0:
        a, *b = (x * 2, x, x * 3)
    return a + b[0] * b[1]


def deletes(x):
    t = x
    if x > 0:
        y = t * 2
        del t
    else:
        y = t
    return y


def with_block(x):
    with np.errstate(all="ignore"):
        if x > 0:
            return np.log(x)
        y = x * 2
    return y


def try_block(x):
    try:
        if x > 0:
            return x * 2
        y = x
    finally:
        z = 1.0
    return y + z


def matches(x, kind="b"):
    match kind:
        case "a":
            return x
        case "b":
            if x > 0:
                return x * 2
            return x * 3


def minimum(x, y):
    return min(x, y, 0.5) + max(x, y) * 2


def python_numbers(x):
    n = int(x) + 1
    r = float(n) / 2
    return r + bool(x > 0) + round(x)


# Loops


def while_loop(x):
    n = 0
    while x < 100:
        x = x * 2
        n = n + 1
    return x, n


def newton(x):
    y = x
    error = 1.0
    while error > 1e-12:
        new = 0.5 * (y + x / y)
        error = abs(new - y)
        y = new
    return y


def while_true(x):
    while True:
        x = x * 1.5
        if x > 10:
            break
    return x


def while_else(x):
    n = 0
    while x < 10:
        x = x * 2 + 1
        n += 1
        if n > 2:
            break
    else:
        x = x + 1000
    return x


def continue_in_while(x):
    i = 0
    s = 0.0
    while i < x:
        i += 1
        if i % 2 == 0:
            continue
        s = s + i
    return s


def break_in_for(x):
    s = 0.0
    for i in range(10):
        if s > x:
            break
        s = s + i
    return s


def for_else(x):
    for i in range(5):
        if i > x:
            y = i * 1.0
            break
    else:
        y = -1.0
    return y


def continue_in_for(x):
    s = 0.0
    for i in range(6):
        if i * x > 3:
            continue
        s = s + i
    return s


def return_in_for(x):
    for i in range(8):
        if i * i > x:
            return i * 1.0
    return -1.0


def return_in_nested_for(x):
    for i in range(4):
        for j in range(4):
            if i * j > x:
                return i * 10.0 + j
    return -1.0


def return_in_while(x):
    while x < 50:
        x = x * 3
        if x > 20 and x < 40:
            return -x
    return x


def traced_range(n):
    s = 0.0
    for i in range(n):
        s = s + i * i
    return s


def traced_range_bounds(a, b):
    s = 0
    for i in range(a, b, 2):
        s += i
    return s


def backward_range(n):
    s = 0.0
    for i in range(n, 0, -1):
        s = s * 0.5 + i
    return s


def over_array(xs):
    s = 0.0
    for x in xs:
        if x > 0:
            s = s + x
    return s


def over_rows(xs):
    s = xs[0]
    for row in xs:
        s = s * 0.5 + row
    return s


def enumerated(xs):
    s = 0.0
    for i, x in enumerate(xs):
        if x > i:
            s = s + i * x
    return s


def zipped(xs):
    s = 0.0
    for a, b in zip(xs, xs[::-1]):
        if a < b:
            s = s + a * b
    return s


def over_list_with_break(x):
    for factor in [1.0, 2.0, 3.0, 4.0]:
        x = x * factor
        if x > 10:
            break
    return x


def over_dictionary(x):
    s = 0.0
    for name, factor in {"a": 1.0, "b": 2.0}.items():
        if x > factor:
            s = s + factor * (1 if name == "a" else 10)
    return s


def nested_loops(n):
    s = 0.0
    for i in range(n):
        for j in range(i):
            if (i + j) % 2 == 0:
                s = s + i * j
    return s


def integer_becomes_float(n):
    s = 0
    for _ in range(n):
        s = s + 0.5
    return s


def loop_variable_afterwards(x):
    i = -1
    for i in range(7):
        if i > x:
            break
    return i


def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def bisection(c):
    low, high = 0.0, c + 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if middle * middle > c:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def dictionary_in_loop(n):
    state = {"a": 1.0, "b": 0.0}
    for i in range(n):
        state["b"] = state["b"] + state["a"]
        state["a"] = state["a"] * 0.5
    return state["b"]


def object_in_loop(n):
    c = Counter()
    for i in range(n):
        c.add(i * 1.0)
    return c.total


def stores_in_loop(n):
    out = np.zeros(5)
    for i in range(n):
        out[i] = i * 2.0
    return out


def updates_in_loop(x):
    y = x * 1.0
    while y.sum() < 50:
        y += 1
        y[0] = y[0] * 2
    return y


def closure_in_loop(n):
    total = 0.0

    def add(v):
        nonlocal total
        total = total + v

    for i in range(n):
        add(i)
    return total


def with_in_loop(x):
    s = 0.0
    for i in range(5):
        with np.errstate(all="ignore"):
            if i > x:
                break
            s = s + i
    return s


def try_in_loop(x):
    s = 0.0
    for i in range(5):
        try:
            if i == x:
                continue
            s = s + i
        finally:
            s = s + 0.25
    return s


def while_with_and(xs):
    i = 0
    while i < 4 and xs[i] > 0:
        i += 1
    return i


def comprehension(xs):
    return sum([x if x > 0 else -x for x in xs])


def any_and_all(xs):
    if any(x > 2 for x in xs) and all([x > -5 for x in xs]):
        return xs.sum()
    return xs.max()


def membership(x):
    if x in (1, 2, 3):
        return x * 10
    if x not in range(0, 20, 5):
        return x
    return -x


def mandelbrot(c):
    z = 0.0 * c
    n = 0
    while abs(z) < 2 and n < 50:
        z = z * z + c
        n += 1
    return n


FLOATS = [(3.0,), (0.5,), (-0.5,), (-4.0,), (1.6,)]
PAIRS = [(3.0, 1.0), (1.0, -1.0), (-1.0, 2.0), (-3.0, -3.0), (-1.0, -0.5), (5.0, -1.0)]
COUNTS = [(0,), (1,), (4,)]
V = np.array([1.0, -2.0, 3.0, 0.5])
ARRAYS = [(V,), (np.abs(V),), (-np.abs(V),)]

PROGRAMS: list[Program] = [
    *[
        Program(function, FLOATS)
        for function in (
            *(if_else, if_alone, elif_chain, early_return, two_early_returns, partial_return),
            *(partial_returns_in_a_row, return_in_both, several_variables),
            *(integers_become_floats, same_on_both_sides, undefined_but_unused),
            *(conditional_expression, nested_conditional_expressions, chained_comparison),
            *(chain_of_calls, tuple_results, list_in_branch, dictionary_in_branch),
            *(new_entry_on_both_paths, attribute_in_branch, method_changes_object),
            *(closure_sees_change, nonlocal_in_branch, calls_helper, calls_lambda),
            *(assigns_by_walrus, augmented, made_array_in_branch, star_assignment, deletes),
            *(with_block, try_block, matches, while_loop, while_true),
            *(while_else, over_list_with_break, over_dictionary, return_in_while),
        )
        if function not in (while_loop, while_true, while_else, return_in_while)
    ],
    *[
        Program(function, [(3.0,), (0.5,), (1.6,), (60.0,)])
        for function in (while_loop, newton, while_true, while_else, return_in_while, bisection)
    ],
    *[
        Program(function, FLOATS, differentiable=False)
        for function in (
            *(python_numbers, continue_in_while, break_in_for, for_else, continue_in_for),
            *(return_in_for, return_in_nested_for, loop_variable_afterwards, with_in_loop),
            try_in_loop,
        )
    ],
    *[Program(f, PAIRS) for f in (nested_ifs, boolean_operators, operators_give_operands, minimum)],
    *[Program(f, ARRAYS) for f in (array_condition, in_place_in_branch, over_array, over_rows)],
    *[
        Program(f, ARRAYS)
        for f in (enumerated, zipped, comprehension, any_and_all, updates_in_loop)
    ],
    Program(while_with_and, ARRAYS, differentiable=False),
    *[
        Program(function, COUNTS, differentiable=False)
        for function in (
            *(traced_range, backward_range, nested_loops, integer_becomes_float, fibonacci),
            *(dictionary_in_loop, object_in_loop, stores_in_loop, closure_in_loop, membership),
        )
    ],
    Program(traced_range_bounds, [(0, 5), (3, 3), (5, 2), (-3, 4)], differentiable=False),
    Program(collatz, [(1,), (6,), (27,)], differentiable=False),
    Program(gcd, [(12, 18), (7, 3), (5, 0)], differentiable=False),
    Program(mandelbrot, [(0.1 + 0.2j,), (1.0 + 1j,), (-2.5 + 0j,)], differentiable=False),
]
