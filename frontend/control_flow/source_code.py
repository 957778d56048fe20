"""Finding the syntax of a function from its code.

What is found is compiled and compared with the function's own code, so that a file that was edited
since it was imported, or whose functions something else has rewritten, is noticed.
"""

from __future__ import annotations

import ast
import dis
import linecache
from collections.abc import Iterator
from itertools import islice
from types import CodeType
from typing import Any, Final

from .names import Function
from .syntax import walk, without_type_parameters
from .units import Origin, Unit

_REWRITTEN_BY_PYTEST: Final = "@py_builtins"
_MORE_LINES: Final = 16
_JUMPS: Final = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_LOAD_ATTR: Final = dis.opmap["LOAD_ATTR"]
_LOAD_METHOD: Final = dis.opmap.get("LOAD_METHOD")
_NAMED: Final = frozenset({_LOAD_ATTR, _LOAD_METHOD, dis.opmap["LOAD_GLOBAL"]})
_IGNORED: Final = frozenset(
    dis.opmap.get(name) for name in ("CACHE", "PUSH_NULL", "PRECALL", "EXTENDED_ARG", "NOP")
)
_FUTURE_FLAGS: Final = 0x1FF0000
"""The flags of a code object that tell which features of ``__future__`` its file has on."""


def function_syntax(code: CodeType, module: dict[str, Any]) -> tuple[Function, Origin] | None:
    """Return the definition of a function and where it comes from, None if it cannot be had.

    Args:
        code: of the function.
        module: the function's global variables, through which some sources are found.
    """
    lines = linecache.getlines(code.co_filename, module)
    if not lines:
        return None
    origin = origin_of(code)
    candidates = _lambdas if code.co_name == "<lambda>" else _definitions
    for node in candidates(code, lines):
        if is_source_of(node, code, origin):
            return node, origin
    return None


def origin_of(code: CodeType) -> Origin:
    """Return where a function comes from."""
    around = code.co_qualname.split(".")[:-1]
    class_name = around[-1] if around and around[-1] != "<locals>" else None
    flags = code.co_flags & _FUTURE_FLAGS
    return Origin(code.co_filename, code.co_qualname, class_name, flags)


def bare(node: Function) -> Any:
    """Return a definition without what is evaluated where the function is defined."""
    arguments = ast.arguments(
        posonlyargs=[_bare_parameter(a) for a in node.args.posonlyargs],
        args=[_bare_parameter(a) for a in node.args.args],
        vararg=node.args.vararg and _bare_parameter(node.args.vararg),
        kwonlyargs=[_bare_parameter(a) for a in node.args.kwonlyargs],
        kw_defaults=[None] * len(node.args.kwonlyargs),
        kwarg=node.args.kwarg and _bare_parameter(node.args.kwarg),
        defaults=[],
    )
    at = {name: getattr(node, name) for name in node._attributes}
    if isinstance(node, ast.Lambda):
        return ast.Lambda(arguments, node.body, **at)
    definition = type(node)(node.name, arguments, node.body, [], None, **at)
    return without_type_parameters(definition)


def _bare_parameter(node: ast.arg) -> ast.arg:
    return ast.arg(node.arg, None, lineno=node.lineno, col_offset=node.col_offset)


def as_definition(node: Function) -> ast.stmt:
    """Return a function as a statement."""
    if isinstance(node, ast.Lambda):
        at = {name: getattr(node, name) for name in node._attributes}
        return ast.Expr(node, **at)
    assert isinstance(node, ast.stmt)
    return node


def is_source_of(node: Function, code: CodeType, origin: Origin) -> bool:
    """Tell whether a definition compiles to a code object, or may have before pytest saw it."""
    if not isinstance(node, ast.Lambda) and node.name != code.co_name:
        return False
    definition = bare(node)
    try:
        unit = Unit(origin, [as_definition(definition)], code.co_freevars, [])
        found = unit.code(code.co_name)
    except (SyntaxError, ValueError, KeyError):
        return False
    if _has_name(code, _REWRITTEN_BY_PYTEST):
        return found.co_varnames[: found.co_argcount] == code.co_varnames[: code.co_argcount]
    return _same(found, code)


def _has_name(code: CodeType, name: str) -> bool:
    inner = (c for c in code.co_consts if isinstance(c, CodeType))
    return name in code.co_names or any(_has_name(c, name) for c in inner)


def _same(first: CodeType, second: CodeType) -> bool:
    """Tell whether two code objects do the same."""
    for name in ("co_names", "co_varnames", "co_cellvars", "co_freevars"):
        if getattr(first, name) != getattr(second, name):
            return False
    if len(first.co_consts) != len(second.co_consts):
        return False
    constants = all(map(_same_constant, first.co_consts, second.co_consts))
    return constants and _instructions(first) == _instructions(second)


def _instructions(code: CodeType) -> list[tuple[int, int]]:
    """Return the instructions, but for how far jumps go and how methods are called.

    Of methods of modules the compiler knows more if it sees their ``import``.
    """
    found = []
    raw = code.co_code
    for i in range(0, len(raw), 2):
        op, argument = raw[i], raw[i + 1]
        if op in _IGNORED:
            continue
        if op in _NAMED:
            op, argument = _LOAD_ATTR if op == _LOAD_METHOD else op, 0
        found.append((op, 0 if op in _JUMPS else argument))
    return found


def _same_constant(first: Any, second: Any) -> bool:
    if isinstance(first, CodeType):
        return isinstance(second, CodeType) and _same(first, second)
    return type(first) is type(second) and repr(first) == repr(second)


def _definitions(code: CodeType, lines: list[str]) -> Iterator[Function]:
    """Read the statement that begins at the code's first line."""
    first = code.co_firstlineno
    last = _end_of_block(lines, first, _last_line(code))
    head = "\n" * (first - 2) + "if 1:\n" if lines[first - 1][:1].isspace() else "\n" * (first - 1)
    for end in range(last, min(last + _MORE_LINES, len(lines)) + 1):
        try:
            module = ast.parse(head + "".join(lines[first - 1 : end]))
        except SyntaxError:
            continue
        yield from (n for n in walk(module) if isinstance(n, ast.FunctionDef))
        return


def _end_of_block(lines: list[str], first: int, last: int) -> int:
    """Return the last line that is indented more than the first, from a line of the block on.

    What can never run has no code, and so may stand behind the last line that has some.
    """
    margin = _indentation(lines[first - 1])
    end = last
    for number in range(last + 1, len(lines) + 1):
        line = lines[number - 1]
        if line.strip() and not line.lstrip().startswith("#"):
            if _indentation(line) <= margin:
                break
            end = number
    return end


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _last_line(code: CodeType) -> int:
    """Return the last line that a code object, or one in it, comes from."""
    lines = [line for *_, line in code.co_lines() if line is not None]
    inner = [_last_line(c) for c in code.co_consts if isinstance(c, CodeType)]
    ends = [end for _, end, *_ in code.co_positions() if end is not None]
    return max([code.co_firstlineno, *lines, *inner, *ends])


def _lambdas(code: CodeType, lines: list[str]) -> Iterator[Function]:
    """Read the lambdas at the code's first line, alone if possible, else with their file."""
    first = code.co_firstlineno
    line = lines[first - 1]
    end_line, end_column = _end(code)
    start = line.find("lambda")
    while start >= 0:
        node = _alone(lines, first, start, end_line, end_column)
        if node is not None:
            yield node
        start = line.find("lambda", start + 1)
    try:
        module = ast.parse("".join(lines))
    except SyntaxError:
        return
    yield from (n for n in walk(module) if isinstance(n, ast.Lambda) and n.lineno == first)


def _end(code: CodeType) -> tuple[int, int]:
    """Return where the last expression of a code object ends, as far as its positions tell."""
    found = [
        (line, column)
        for _, line, _, column in code.co_positions()
        if line is not None and column is not None
    ]
    found += [_end(c) for c in code.co_consts if isinstance(c, CodeType)]
    return max(found, default=(code.co_firstlineno, 0))


def _alone(
    lines: list[str], first: int, start: int, end_line: int, end_column: int
) -> ast.Lambda | None:
    """Return the lambda that begins at a column and ends at a place or a little behind it."""
    head = lines[first - 1].encode()
    start = len(lines[first - 1][:start].encode())
    opening = b"(" + b"\n" * (first - 1)
    indent = b" " * (start if first > 1 else max(start - 1, 0))
    text = b"".join([head, *[line.encode() for line in lines[first:end_line]]])
    begin = sum(len(line.encode()) for line in lines[first - 1 : end_line - 1])
    for end in islice(_brackets_behind(text, begin + end_column), _MORE_LINES):
        try:
            module = ast.parse(opening + indent + text[start:end] + b"\n)")
        except (SyntaxError, ValueError):
            continue
        value = module.body[0].value if isinstance(module.body[0], ast.Expr) else None
        if isinstance(value, ast.Lambda):
            return value
    return None


def _brackets_behind(text: bytes, end: int) -> Iterator[int]:
    """Walk through the ends of an expression that may stand in brackets."""
    yield end
    while end < len(text) and text[end : end + 1] in (b")", b"]", b"}", b" ", b"\n"):
        end += 1
        yield end
