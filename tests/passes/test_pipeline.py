"""The pipeline: what the driver runs, records, shows to hooks, and how checks find a wrong pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import VerifyException

from gradatim.ir.array.elementwise import CosOp, SinOp
from gradatim.ir.builder import Builder
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import find_function
from gradatim.ir.kernel.ops import FusionOp
from gradatim.ir.types import tensor_type
from gradatim.passes.pipeline import (
    Options,
    PassRecord,
    check_against,
    count_ops,
    dump_to,
    passes_to,
    run_passes,
    verify,
)
from gradatim.passes.registry import PASSES

from .kernels import CONTEXT, module_of

OPTIONS = Options(vector_bits=256)


def wave(b: Builder, x: SSAValue) -> SSAValue:
    return b.reverse(b.mul(x, b.sin(b.add(x, b.full_like(x, 0.5)))), [0])


@dataclass(frozen=True)
class SineToCosine(ModulePass):
    """A wrong pass."""

    name: ClassVar[str] = "sine-to-cosine"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in list(op.walk()):
            if isinstance(inner, SinOp):
                cosine = CosOp.make(inner.operands, inner.result_types, {}, inner.location)  # type: ignore[arg-type]
                inner.parent_block().insert_op_before(cosine, inner)  # type: ignore[union-attr]
                inner.result.replace_all_uses_with(cosine.result)
                inner.parent_block().erase_op(inner)  # type: ignore[union-attr]


@dataclass(frozen=True)
class WrongType(ModulePass):
    """A pass that leaves invalid IR."""

    name: ClassVar[str] = "wrong-type"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if isinstance(inner, SinOp):
                inner.result._type = tensor_type((9,), np.dtype("f8"))


def names_of(level: str) -> list[str]:
    return [pass_.name for pass_ in passes_to(level, OPTIONS)]


class TestPasses:
    def test_levels(self) -> None:
        """Each level's passes begin with those of the level before."""
        array, kernel, loop = (names_of(level) for level in ("array", "kernel", "loop"))
        simple = ["array-inline", "array-canonicalize"]
        assert array[:4] == ["array-drop-rules", "array-raise-checks", *simple]
        assert kernel[: len(array)] == array
        assert kernel[-1] == "array-fuse"
        assert loop == [
            *kernel,
            "kernel-bufferize",
            "kernel-split-lanes",
            "kernel-lower-to-loops",
        ]

    def test_unknown_level(self) -> None:
        with pytest.raises(GradatimError, match="the levels are array, kernel, loop, not 'llvm'"):
            passes_to("llvm", OPTIONS)

    def test_every_pass_can_run_alone_by_its_name(self) -> None:
        for pass_ in passes_to("loop", OPTIONS):
            assert PASSES[pass_.name]() is type(pass_)

    def test_options_reach_the_passes(self) -> None:
        module = module_of(wave, (100,))
        run_passes(module, passes_to("kernel", Options(vector_bits=512)), context=CONTEXT)
        (kernel,) = (op for op in module.walk() if isinstance(op, FusionOp))
        assert kernel.schedule.data.vector == 16


class TestDriver:
    def test_records(self) -> None:
        module = module_of(wave, (4,))
        before = count_ops(module)
        records = run_passes(module, passes_to("loop", OPTIONS), context=CONTEXT)
        assert [r.name for r in records] == names_of("loop")
        assert records[0].ops_before == before
        assert all(a.ops_after == b.ops_before for a, b in pairwise(records))
        assert records[-1].ops_after == count_ops(module)
        assert all(r.milliseconds > 0 for r in records)

    def test_hooks_see_the_input_and_the_module_after_each_pass(self) -> None:
        seen: list[tuple[int, str]] = []

        def hook(number: int, record: PassRecord, module: ModuleOp) -> None:
            seen.append((number, record.name))
            assert count_ops(module) == record.ops_after

        run_passes(module_of(wave, (4,)), passes_to("kernel", OPTIONS), [hook])
        assert seen == list(enumerate(["input", *names_of("kernel")]))

    def test_dump(self, tmp_path: Path) -> None:
        target = tmp_path / "made" / "here"
        run_passes(module_of(wave, (4,)), passes_to("kernel", OPTIONS), [dump_to(target)])
        files = sorted(path.name for path in target.iterdir())
        names = ["input", *names_of("kernel")]
        assert files == [f"{number:02}-{name}.mlir" for number, name in enumerate(names)]
        last = (target / files[-1]).read_text()
        assert last.startswith("// array-fuse: ")
        assert " ms\n" in last
        assert "kernel.fusion" in last

    def test_verify(self) -> None:
        module = module_of(lambda b, x: b.sin(x), (4,))
        run_passes(module.clone(), [WrongType()])
        with pytest.raises(VerifyException):
            run_passes(module, [WrongType()], [verify])

    def test_the_environment_asks_for_dumps_and_verification(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("GRADATIM_DUMP", str(tmp_path))
        monkeypatch.setenv("GRADATIM_VERIFY", "1")
        with pytest.raises(VerifyException):
            run_passes(module_of(lambda b, x: b.sin(x), (4,)), [WrongType()])
        assert (tmp_path / "01-wrong-type.mlir").exists()


class TestCheck:
    x = np.linspace(-3, 3, 8, dtype=np.float32)

    def test_the_pipeline_keeps_results(self) -> None:
        hook = check_against("f", [self.x])
        run_passes(module_of(wave, (8,)), passes_to("loop", OPTIONS), [hook])

    @pytest.mark.parametrize("level", ["array", "kernel"])
    def test_a_wrong_pass_is_named(self, level: str) -> None:
        passes = (*passes_to(level, OPTIONS), SineToCosine())
        with pytest.raises(GradatimError, match="sine-to-cosine changed result 0 of @f"):
            run_passes(module_of(wave, (8,)), passes, [check_against("f", [self.x])])

    def test_a_wrong_pass_is_named_on_buffers(self) -> None:
        *before, _ = passes_to("loop", OPTIONS)
        with pytest.raises(GradatimError, match="sine-to-cosine changed result 0 of @f"):
            passes = (*before, SineToCosine())
            run_passes(module_of(wave, (8,)), passes, [check_against("f", [self.x])])

    def test_tolerance(self) -> None:
        passes = (SineToCosine(),)
        run_passes(module_of(wave, (8,)), passes, [check_against("f", [self.x], tolerance=2.0)])
        with pytest.raises(GradatimError):
            run_passes(
                module_of(wave, (8,)), passes, [check_against("f", [self.x], tolerance=0.01)]
            )

    def test_nan_and_infinity_are_equal_to_themselves(self) -> None:
        x = np.array([np.nan, np.inf, -np.inf, 0.0], np.float32)
        run_passes(
            module_of(lambda b, v: b.exp(v), (4,)),
            passes_to("loop", OPTIONS),
            [check_against("f", [x])],
        )


def test_counting_ops() -> None:
    module = module_of(wave, (4,))
    assert count_ops(module) == sum(1 for _ in module.walk()) - 1
    run_passes(module, passes_to("loop", OPTIONS))
    assert count_ops(module) == sum(1 for _ in module.walk()) - 1
    assert find_function(module, "f").body.block.ops
