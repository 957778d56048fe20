"""LLVM: from text to object code to callable addresses in this process.

Compilation and linking are apart: `compile_object` turns LLVM IR text into a relocatable object
that holds no address of this process, so that it can be cached on disk (`cached_object`), and
`link` loads such an object. LLVM itself is imported at the first use, not with this module.

Every function here may be called from any thread; one lock serialises LLVM, which llvmlite does
anyway. The lock is held across ``fork``, so that a child never inherits it locked.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from . import cache

if TYPE_CHECKING:
    from .vector_math import Target

_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class BackendError(Exception):
    """LLVM refused a module: text that does not parse or verify, or a symbol nobody defines.

    This is a defect of the compiler, not of the user's program.
    """


@dataclass(frozen=True)
class HostTarget:
    """The machine that code is compiled for.

    Attributes:
        triple: LLVM's name of architecture, vendor, system and ABI.
        cpu: LLVM's name of the processor, e.g. "znver4".
        features: LLVM's feature string, e.g. "+avx2,+fma,-avx512f".
        vector_bits: width of the widest vector register that pays: 512, 256 or 128.
        fma: whether the processor has a fused multiply-add instruction.
    """

    triple: str
    cpu: str
    features: str
    vector_bits: int
    fma: bool

    @cached_property
    def vector_math(self) -> Target:
        """What vector math functions are emitted for."""
        from .vector_math import Target

        features = {flag[1:]: flag.startswith("+") for flag in self.features.split(",")}
        return Target.from_features(features, self.triple.split("-")[0])


def host_target() -> HostTarget:
    """Describe the processor of this process."""
    return _llvm().target


def compile_object(text: str, *, optimize: bool = False, quick: bool = False) -> bytes:
    """Compile LLVM IR text to a relocatable object.

    Args:
        text: one module. Data layout and triple are filled in; functions marked ``alwaysinline``
            are inlined.
        optimize: run LLVM's O2 pipeline first. Code emitted with explicit vectors does not need
            it; it costs about as much time again as emission.
        quick: select instructions one by one, which takes a sixth of the time and makes slower
            code. For scalar code only: LLVM aborts on AVX-512 masks in this mode.

    Returns:
        The bytes of an object file, free of addresses of this process.

    Raises:
        BackendError: the text does not parse or does not verify.
    """
    with _lock:
        llvm = _llvm()
        machine = llvm.quick_machine if quick else llvm.machine
        return bytes(machine.emit_object(llvm.module(text, optimize)))


def assembly(text: str, *, optimize: bool = False) -> str:
    """Compile LLVM IR text to the host's assembly language; arguments as `compile_object`."""
    with _lock:
        llvm = _llvm()
        return str(llvm.machine.emit_assembly(llvm.module(text, optimize)))


def cached_object(text: str, *, optimize: bool = False) -> bytes:
    """`compile_object` through the cache on disk."""
    target = host_target()
    key = cache.key("object", target.triple, target.cpu, target.features, str(optimize), text)
    found = cache.lookup(key)
    if found is None:
        found = compile_object(text, optimize=optimize)
        cache.store(key, found)
    return found


class Linked:
    """Code that is loaded into this process, and lives as long as this object."""

    def __init__(self, tracker: Any, exports: Iterable[str]) -> None:
        self._tracker = tracker
        self._addresses: dict[str, int] = {name: tracker[name] for name in exports}

    def address(self, name: str) -> int:
        """Return the address of the exported symbol `name`; KeyError if it was not exported."""
        return self._addresses[name]


def link(
    code: bytes, symbols: Mapping[str, int] | None = None, exports: Iterable[str] = ()
) -> Linked:
    """Load object code into this process.

    Args:
        code: what `compile_object` returned.
        symbols: addresses for undefined symbols of the object. What is not here is looked up in
            the process itself (the C library, libm, CPython's API).
        exports: symbols defined by the object whose addresses are wanted.

    Raises:
        BackendError: a symbol is undefined, or the bytes are no object of this machine.
    """
    exports = tuple(exports)
    with _lock:
        llvm = _llvm()
        library = llvm.binding.JITLibraryBuilder().add_object_img(code).add_current_process()
        for name, address in (symbols or {}).items():
            library.import_symbol(name, address)
        for name in exports:
            library.export_symbol(name)
        try:
            tracker = library.link(llvm.jit, f"gradatim.{next(_library_numbers)}")
        except RuntimeError as error:
            raise BackendError(f"LLVM could not link the compiled program: {error}") from None
    return Linked(tracker, exports)


_library_numbers = itertools.count()


class _Llvm:
    """LLVM as this process uses it. One instance, made at first use."""

    def __init__(self) -> None:
        import llvmlite.binding as binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        self.binding = binding
        self.target = _describe_host(binding)
        self.machine = self._new_machine(opt=2)
        self.data_layout = str(self.machine.target_data)

    @cached_property
    def quick_machine(self) -> Any:
        """The machine for `quick` compilation."""
        return self._new_machine(opt=0)

    @cached_property
    def jit(self) -> Any:
        """The linker, never disposed of: NumPy arrays that outlive us may be freed by its code."""
        jit = self.binding.create_lljit_compiler(self._new_machine(opt=2), use_jit_link=True)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(jit))
        return jit

    def _new_machine(self, opt: int) -> Any:
        target = self.binding.Target.from_triple(self.target.triple)
        return target.create_target_machine(
            cpu=self.target.cpu,
            features=self.target.features,
            opt=opt,
            codemodel="jitdefault",
            jit=True,
        )

    def module(self, text: str, optimize: bool) -> Any:
        """Parse and verify `text`, and optimise it if asked to."""
        binding = self.binding
        try:
            module = binding.parse_assembly(text, binding.create_context())
            module.triple = self.target.triple
            module.data_layout = self.data_layout
            module.verify()
        except RuntimeError as error:
            raise BackendError(f"LLVM refused the emitted module: {error}") from None
        if optimize or " alwaysinline" in text:
            options = binding.create_pipeline_tuning_options(speed_level=2)
            builder = binding.create_pass_builder(self.machine, options)
            _passes(binding, builder, optimize).run(module, builder)
        return module


def _passes(binding: Any, builder: Any, optimize: bool) -> Any:
    if optimize:
        return builder.getModulePassManager()
    passes = binding.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_new_gvn_pass()  # sin and cos of one argument share most of what they do
    return passes


@lru_cache(maxsize=1)
def _make_llvm() -> _Llvm:
    return _Llvm()


def _llvm() -> _Llvm:
    with _lock:
        return _make_llvm()


def _describe_host(binding: Any) -> HostTarget:
    triple = binding.get_process_triple()
    features = binding.get_host_cpu_features()
    return HostTarget(
        triple=triple,
        cpu=binding.get_host_cpu_name(),
        features=features.flatten(),
        vector_bits=_vector_bits(features),
        fma=bool(features.get("fma", False)) or triple.startswith(("aarch64", "arm64")),
    )


def _vector_bits(features: Mapping[str, bool]) -> int:
    if all(features.get(f"avx512{part}", False) for part in ("f", "vl", "dq", "bw")):
        return 512
    return 256 if features.get("avx2", False) else 128
