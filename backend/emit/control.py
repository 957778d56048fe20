"""Emitters of ``scf`` and ``func``: structured control flow becomes basic blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.dialects import func, scf
from xdsl.dialects.builtin import SymbolRefAttr
from xdsl.ir import Block, Operation, SSAValue

from .function import Emit, FunctionEmitter, is_literal
from .types import INDEX, static_integers, value_type


class _Phis:
    """The phi instructions at the head of a loop, filled in when the back edge is known."""

    def __init__(
        self, e: FunctionEmitter, values: Sequence[SSAValue], start: Sequence[str], before: str
    ) -> None:
        self.e = e
        self.before = before
        self.start = start
        self.types = [value_type(value.type).text for value in values]
        self.names = [e.register() for _ in values]
        self.places = [e.placeholder() for _ in values]
        for value, name in zip(values, self.names):
            e.bind(value, name)

    def close(self, back: Sequence[str]) -> None:
        """Write the phis, whose second source is the current block."""
        e = self.e
        rows = zip(self.places, self.names, self.types, self.start, back)
        for place, name, type_, start, again in rows:
            e.lines[place] = (
                f"  {name} = phi {type_} [ {start}, %{self.before} ], [ {again}, %{e.block} ]"
            )


def _refs(e: FunctionEmitter, values: Sequence[SSAValue]) -> list[str]:
    return [e.ref(value) for value in values]


def _bind_all(e: FunctionEmitter, values: Sequence[SSAValue], names: Sequence[str]) -> None:
    for value, name in zip(values, names):
        e.bind(value, name)


def _for(e: FunctionEmitter, op: Operation) -> None:
    lower, upper, step, *carried = _refs(e, op.operands)
    body = op.regions[0].block
    if all(map(is_literal, (lower, upper, step))):
        trips = -(-(int(upper) - int(lower)) // int(step))
        if trips <= 0:
            _bind_all(e, op.results, carried)
            return
        if trips == 1:
            _bind_all(e, body.args, [lower, *carried])
            _bind_all(e, op.results, _refs(e, e.emit_ops(body).operands))
            return
        _counted_loop(e, op, body, [lower, *carried], upper, step)
    else:
        _guarded_loop(e, op, body, [lower, *carried], upper, step)


def _counted_loop(
    e: FunctionEmitter,
    op: Operation,
    body: Block,
    start: list[str],
    upper: str,
    step: str,
) -> None:
    """A loop that runs at least once tests at its end."""
    head, exit_ = e.fresh_blocks("loop", "end")
    before = e.block
    e.branch(head)
    e.start_block(head)
    phis = _Phis(e, body.args, start, before)
    again = _refs(e, e.emit_ops(body).operands)
    advanced = e.compute(f"add {INDEX} {phis.names[0]}, {step}")
    more = e.compute(f"icmp slt {INDEX} {advanced}, {upper}")
    phis.close([advanced, *again])
    e.line(f"br i1 {more}, label %{head}, label %{exit_}")
    e.start_block(exit_)
    _bind_all(e, op.results, again)


def _guarded_loop(
    e: FunctionEmitter,
    op: Operation,
    body: Block,
    start: list[str],
    upper: str,
    step: str,
) -> None:
    """A loop that may not run at all tests at its head."""
    head, inside, exit_ = e.fresh_blocks("head", "loop", "end")
    before = e.block
    e.branch(head)
    e.start_block(head)
    phis = _Phis(e, body.args, start, before)
    more = e.compute(f"icmp slt {INDEX} {phis.names[0]}, {upper}")
    e.line(f"br i1 {more}, label %{inside}, label %{exit_}")
    e.start_block(inside)
    again = _refs(e, e.emit_ops(body).operands)
    advanced = e.compute(f"add {INDEX} {phis.names[0]}, {step}")
    phis.close([advanced, *again])
    e.branch(head)
    e.start_block(exit_)
    _bind_all(e, op.results, phis.names[1:])


def _if(e: FunctionEmitter, op: Operation) -> None:
    then, otherwise, merge = e.fresh_blocks("then", "else", "merge")
    e.line(f"br i1 {e.ref(op.operands[0])}, label %{then}, label %{otherwise}")
    _branches(e, op, (then, otherwise), merge)


def _branches(e: FunctionEmitter, op: Operation, labels: Sequence[str], merge: str) -> None:
    """Write each region as a block, and after them the block where they meet."""
    sources: list[tuple[list[str], str]] = []
    for label, region in zip(labels, op.regions):
        e.start_block(label)
        results = _refs(e, e.emit_ops(region.block).operands) if region.blocks.first else []
        sources.append((results, e.block))
        e.branch(merge)
    e.start_block(merge)
    for i, result in enumerate(op.results):
        edges = ", ".join(f"[ {values[i]}, %{label} ]" for values, label in sources)
        e.bind(result, e.compute(f"phi {value_type(result.type).text} {edges}"))


def _while(e: FunctionEmitter, op: Operation) -> None:
    before_block, after_block = op.regions[0].block, op.regions[1].block
    head, inside, exit_ = e.fresh_blocks("head", "loop", "end")
    before = e.block
    e.branch(head)
    e.start_block(head)
    phis = _Phis(e, before_block.args, _refs(e, op.operands), before)
    condition, *passed = _refs(e, e.emit_ops(before_block).operands)
    e.line(f"br i1 {condition}, label %{inside}, label %{exit_}")
    e.start_block(inside)
    _bind_all(e, after_block.args, passed)
    phis.close(_refs(e, e.emit_ops(after_block).operands))
    e.branch(head)
    e.start_block(exit_)
    _bind_all(e, op.results, passed)


def _call(e: FunctionEmitter, op: Operation) -> None:
    callee = op.properties["callee"]
    assert isinstance(callee, SymbolRefAttr)
    symbol = e.symbols.symbol_of(callee.root_reference.data)
    arguments = ", ".join(map(e.typed, op.operands))
    if not op.results:
        e.line(f"call void @{symbol}({arguments})")
        return
    e.result(op, f"call {value_type(op.results[0].type).text} @{symbol}({arguments})")


def _index_switch(e: FunctionEmitter, op: Operation) -> None:
    """The first region is the default, the others are those of the listed numbers."""
    numbers = static_integers(op.properties["cases"])
    labels = [label for _ in op.regions for label in e.fresh_blocks("case")]
    (merge,) = e.fresh_blocks("merge")
    rows = " ".join(
        f"{INDEX} {number}, label %{label}" for number, label in zip(numbers, labels[1:])
    )
    e.line(f"switch {INDEX} {e.ref(op.operands[0])}, label %{labels[0]} [ {rows} ]")
    _branches(e, op, labels, merge)


RULES: Final[dict[type[Operation], Emit]] = {
    scf.ForOp: _for,
    scf.IfOp: _if,
    scf.IndexSwitchOp: _index_switch,
    scf.WhileOp: _while,
    func.CallOp: _call,
}
