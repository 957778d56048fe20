"""LLVM text of a program's entry: one function with one signature for all programs.

A kernel's C entry ``i32 @gd.main(ptr, ptr, ...)`` has as many parameters as the program has arrays.
What calls it from Python is generic (call.ll) and holds their addresses in an array, so each
program's module also defines::

    i32 @gd.entry(ptr %buffers)     ; addresses of the inputs, then of the outputs

which passes them on. It adds the captured arrays and releases the interpreter's lock around
the kernel where that pays.
"""

from __future__ import annotations

from collections.abc import Iterator

from .signature import CallSignature

ENTRY = "gd.entry"

MISMATCH = -1
"""The status by which a program tells that it does not take its arguments after all.

Its results are dropped, and the call goes on to the next program.
"""


def capture_symbol(index: int) -> str:
    """Return the symbol to be linked to the data of captured array number `index`."""
    return f"gd.capture.{index}"


def emit_entry(signature: CallSignature, *, release_gil: bool, has_status: bool = False) -> str:
    """Return LLVM text that defines `ENTRY`, to be added to the module of ``@gd.main``.

    Args:
        signature: how the program is called.
        release_gil: let other Python threads run meanwhile. It costs about 30 ns a call, so leave
            it off for kernels of less than a few microseconds.
        has_status: whether the kernel stores a status, an i32, behind its outputs. The entry
            returns it: `MISMATCH` if the program is not one for these arguments after all.
    """
    return "\n".join(_lines(signature, release_gil, has_status)) + "\n"


def _lines(signature: CallSignature, release_gil: bool, has_status: bool) -> Iterator[str]:
    captures = [f"@{capture_symbol(i)}" for i in range(signature.captures)]
    count = len(signature.inputs) + len(signature.outputs)
    yield from (f"{name} = external global i8" for name in captures)
    if release_gil:
        yield "declare ptr @PyEval_SaveThread()"
        yield "declare void @PyEval_RestoreThread(ptr)"
    yield f"define i32 @{ENTRY}(ptr %buffers) {{"
    for i in range(count):
        yield f"  %field.{i} = getelementptr ptr, ptr %buffers, i64 {i}"
        yield f"  %buffer.{i} = load ptr, ptr %field.{i}"
    if has_status:
        yield "  %stored = alloca i32"
    stored = ["%stored"] if has_status else []
    arguments = ", ".join(f"ptr {name}" for name in captures + _buffers(count) + stored)
    if release_gil:
        yield "  %thread = call ptr @PyEval_SaveThread()"
    yield f"  %status = call i32 @gd.main({arguments})"
    if release_gil:
        yield "  call void @PyEval_RestoreThread(ptr %thread)"
    if has_status:
        yield "  %own = load i32, ptr %stored"
        yield "  %failed = icmp ne i32 %status, 0"
        yield "  %reported = select i1 %failed, i32 %status, i32 %own"
    yield f"  ret i32 {'%reported' if has_status else '%status'}"
    yield "}"


def _buffers(count: int) -> list[str]:
    return [f"%buffer.{i}" for i in range(count)]
