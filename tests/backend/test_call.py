"""Arrays and scalars through the compiled call."""

import pickle

import numpy as np
import pytest

from gradatim.backend import jit
from gradatim.backend.call import MISMATCH, emit_entry, link_program
from gradatim.backend.call.layout import Dict, Leaf, NoneNode, Static, Tuple
from gradatim.backend.call.signature import ArraySpec, CallSignature, flat_signature

from .call_programs import SlowPathTaken, copying_program, function, program, signature, spec

DTYPES = "?bhilqBHILQefdFD"
SHAPES = [(), (1,), (4,), (0,), (2, 3), (2, 0, 3), (1, 1, 1, 5)]

_identity_programs = {}


def identity(kind, dtype, shape):
    """Return a function that takes one array and returns a copy of it."""
    key = (np.dtype(dtype).char, shape)
    if key not in _identity_programs:
        _identity_programs[key] = program(signature([spec(dtype, *shape)]))
    return function(_identity_programs[key], kind=kind)


def example(dtype, shape):
    size = int(np.prod(shape))
    return (np.arange(1, size + 1) % 120).astype(dtype).reshape(shape)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_every_dtype(kind, dtype):
    for shape in SHAPES:
        array = example(dtype, shape)
        result = identity(kind, dtype, shape)(array)
        assert type(result) is (np.ndarray if shape else np.dtype(dtype).type)
        assert result.dtype == array.dtype
        np.testing.assert_array_equal(result, array)
        assert not np.may_share_memory(result, array)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_scalars_of_every_dtype(kind, dtype):
    value = np.dtype(dtype).type(1)
    result = identity(kind, dtype, ())(value)
    assert type(result) is type(value)
    assert result == value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("given", DTYPES)
def test_another_dtype_goes_the_slow_way(kind, dtype, given):
    if np.dtype(dtype) == np.dtype(given):
        return
    for shape in [(), (3,)]:
        with pytest.raises(SlowPathTaken):
            identity(kind, dtype, shape)(example(given, shape))
    with pytest.raises(SlowPathTaken):
        identity(kind, dtype, ())(np.dtype(given).type(1))


def test_dtypes_of_other_packages(kind):
    bfloat16 = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    array = np.arange(6).astype(bfloat16).reshape(2, 3)
    result = identity(kind, bfloat16, (2, 3))(array)
    assert result.dtype == bfloat16
    np.testing.assert_array_equal(result, array)
    scalar = identity(kind, bfloat16, ())(np.array(5, bfloat16))
    assert (type(scalar), scalar) == (bfloat16.type, 5)
    for other in [array.view(np.int16), array.astype(np.float16)]:
        with pytest.raises(SlowPathTaken):
            identity(kind, bfloat16, (2, 3))(other)
    with pytest.raises(SlowPathTaken):
        identity(kind, bfloat16, ())(bfloat16.type(1))


def test_two_c_types_of_one_integer_dtype(kind):
    for dtype, twin in [("l", "q"), ("q", "l"), ("L", "Q"), ("Q", "L")]:
        if np.dtype(dtype) == np.dtype(twin):
            array = example(twin, (4,))
            np.testing.assert_array_equal(identity(kind, dtype, (4,))(array), array)


def special_values(dtype):
    if np.issubdtype(dtype, np.integer):
        info = np.iinfo(dtype)
        return [info.min, info.max, 0]
    info = np.finfo(dtype)
    return [np.nan, np.inf, -np.inf, -0.0, info.tiny, info.smallest_subnormal, info.max]


@pytest.mark.parametrize("dtype", "bhilBHILefd")
def test_special_values_pass_bit_for_bit(kind, dtype):
    for value in special_values(dtype):
        scalar = np.dtype(dtype).type(value)
        assert identity(kind, dtype, ())(scalar).tobytes() == scalar.tobytes()
        array = np.full(3, value, dtype)
        assert identity(kind, dtype, (3,))(array).tobytes() == array.tobytes()


WEAK_VALUES = {
    "bool": [True, False],
    "int": [0, -1, 2**63 - 1, -(2**63), 1000],
    "float": [0.13, -0.0, float("inf"), 5e-324],
    "complex": [1 + 2j, -0.0j],
}
WEAK_DTYPES = {"bool": "?", "int": "q", "float": "d", "complex": "D"}
NOT_WEAK = {
    "bool": [1, np.True_, 1.0, None, np.array(True)],
    "int": [True, 1.0, np.int64(1), 2**63, -(2**63) - 1, 10**40, "1", np.array(1)],
    "float": [1, np.float64(1), True, np.float32(1), 1j, None, np.array(1.0)],
    "complex": [1.0, np.complex128(1), 1, np.array(1j)],
}


@pytest.mark.parametrize("weak", WEAK_VALUES)
def test_weak_inputs_take_exactly_their_python_type(kind, weak):
    dtype = np.dtype(WEAK_DTYPES[weak])
    call = signature([ArraySpec(dtype, (), weak)])
    run = function(program(call), kind=kind)
    for value in WEAK_VALUES[weak]:
        result = run(value)
        assert type(result) is dtype.type
        assert result.tobytes() == np.array(value, dtype).tobytes()
    for value in NOT_WEAK[weak]:
        with pytest.raises(SlowPathTaken):
            run(value)


@pytest.mark.parametrize("value", [1.0, 1, True, np.float32(1), np.int64(1), np.array([1.0]), "1"])
def test_numpy_scalar_input_takes_exactly_its_type(kind, value):
    with pytest.raises(SlowPathTaken):
        identity(kind, "d", ())(value)


class Subclass(np.ndarray):
    pass


def unaligned(array):
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


SLOW_ARRAYS = {
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "reversed": lambda a: a[::-1],
    "Fortran order": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "broadcast": lambda a: np.broadcast_to(a[0], a.shape),
    "swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "unaligned": unaligned,
    "subclass": lambda a: a.view(Subclass),
    "matrix": lambda a: np.ma.masked_array(a).view(np.matrix),
    "masked": np.ma.masked_array,
    "record": lambda a: a.view(np.recarray),
    "other shape": lambda a: a[:, :2].copy(),
    "other rank": lambda a: a[0].copy(),
    "flat": lambda a: a.reshape(-1),
    "higher rank": lambda a: a[None],
    "list": lambda a: a.tolist(),
    "objects": lambda a: a.astype(object),
    "strings": lambda a: a.astype(str),
    "structured": lambda a: np.zeros(a.shape, [("x", "f8")]),
    "dates": lambda a: a.astype("M8[s]"),
    "durations": lambda a: a.astype("m8[s]"),
    "long double": lambda a: a.astype(np.longdouble),
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("name", SLOW_ARRAYS)
def test_arrays_in_need_of_conversion_go_the_slow_way(kind, name):
    array = SLOW_ARRAYS[name](np.arange(12.0).reshape(3, 4))
    with pytest.raises(SlowPathTaken):
        identity(kind, "d", (3, 4))(array)


FAST_ARRAYS = {
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
    "view": lambda a: np.concatenate([a, a])[3:],
    "strides of an extent of one": lambda a: a[:, None][:, ::-1].reshape(a.shape),
    "unpickled": lambda a: pickle.loads(pickle.dumps(a)),
    "dtype with metadata": lambda a: a.astype(np.dtype("f8", metadata={"unit": "m"})),
    "explicit order": lambda a: a.astype("<f8" if np.little_endian else ">f8"),
}


@pytest.mark.parametrize("name", FAST_ARRAYS)
def test_arrays_that_look_odd_but_need_no_conversion(kind, name):
    original = np.arange(12.0).reshape(3, 4)
    array = FAST_ARRAYS[name](original)
    result = identity(kind, "d", (3, 4))(array)
    np.testing.assert_array_equal(result, array)
    assert result.flags.writeable and result.flags.owndata


def test_unpickled_dtype_that_is_not_the_singleton(kind):
    array = pickle.loads(pickle.dumps(np.arange(3.0)))
    array = np.frombuffer(array.tobytes(), pickle.loads(pickle.dumps(array.dtype)))
    np.testing.assert_array_equal(identity(kind, "d", (3,))(array), array)


def test_memory_mapped_array_goes_the_slow_way(kind, tmp_path):
    array = np.memmap(tmp_path / "array", np.float64, "w+", shape=(3,))
    with pytest.raises(SlowPathTaken):
        identity(kind, "d", (3,))(array)


def test_number_of_arguments(kind):
    run = function(program(signature([spec("d")] * 2)), kind=kind)
    one = np.float64(1)
    assert run(one, one) == 1
    for args in [(), (one,), (one,) * 3]:
        with pytest.raises(SlowPathTaken) as caught:
            run(*args)
        assert caught.value.args == (args, {})


def test_keyword_that_the_program_does_not_know_goes_the_slow_way(kind):
    run = function(program(signature([spec("d")] * 2)), kind=kind)
    one = np.float64(1)
    for args, kwargs in [((one,), {"x": one}), ((one, one), {"x": one}), ((), {"x": 1, "y": 2})]:
        with pytest.raises(SlowPathTaken) as caught:
            run(*args, **kwargs)
        assert caught.value.args == (args, kwargs)


def test_keywords_of_the_program(kind):
    call = signature([spec("d")] * 3, Tuple((Leaf(0), Leaf(1), Leaf(2))), keywords=("rate", "step"))
    run = function(program(call), kind=kind)
    a, b, c = map(np.float64, (1, 2, 3))
    assert run(a, rate=b, step=c) == (1, 2, 3)
    assert run(a, **dict(zip(("rate", "step"), (b, c), strict=True))) == (1, 2, 3)
    for args, kwargs in [
        ((a, b, c), {}),
        ((a, b), {"step": c}),
        ((a,), {"step": b, "rate": c}),
        ((a,), {"rate": b, "other": c}),
        ((a,), {"rate": b}),
        ((a, b), {"rate": b, "step": c}),
    ]:
        with pytest.raises(SlowPathTaken):
            run(*args, **kwargs)


def test_several_results(kind):
    specs = [spec("d", 3), spec("f"), spec("?", 2, 2), spec("D")]
    run = function(program(flat_signature(specs, specs)), kind=kind)
    args = [example(s.dtype, s.shape) for s in specs]
    results = run(*args)
    assert type(results) is tuple
    for result, arg in zip(results, args, strict=True):
        assert result.dtype == arg.dtype
        np.testing.assert_array_equal(result, arg)


def test_program_without_inputs_or_outputs(kind):
    nothing = function(program(CallSignature((), (), NoneNode(), ())), kind=kind)
    assert nothing() is None
    with pytest.raises(SlowPathTaken):
        nothing(1)
    unit = function(program(CallSignature((), (), Tuple(()), ())), kind=kind)
    assert unit() == ()


def test_captured_arrays_come_before_the_inputs(kind):
    captured = [np.arange(3.0), np.array(7, np.int32)]
    specs = [spec("d", 3), spec("i"), spec("f")]
    call = signature([spec("f")], Tuple(tuple(map(Leaf, range(3)))), outputs=specs, captures=2)
    run = function(program(call, captured=captured), kind=kind)
    del captured
    vector, integer, single = run(np.float32(0.5))
    assert vector.tolist() == [0, 1, 2]
    assert (integer, single) == (7, np.float32(0.5))


def test_captured_arrays_must_fit(kind):
    call = signature([spec("f")], outputs=[spec("d", 3)], captures=1)
    for captured in [[], [np.zeros(3), np.zeros(3)], [np.zeros((3, 2))[:, 0]]]:
        with pytest.raises(ValueError, match="capture"):
            program(call, captured=captured)


def test_signatures_can_be_pickled():
    call = signature(
        [ArraySpec(np.dtype("d"), (), "float"), spec("F", 2, 3)],
        Tuple((Leaf(0), Dict(("k",), (Static(3),)), NoneNode())),
        keywords=("scale",),
    )
    copied = pickle.loads(pickle.dumps(call))
    assert copied == call
    assert hash(copied) == hash(call)


@pytest.mark.parametrize("status", [1, 2**31 - 1, -(2**31), -2])
def test_status_of_the_program_reaches_the_error_hook(kind, status):
    from .call_programs import copying_kernel

    call = signature([spec("d", 3), spec("d")], Tuple((Leaf(0), Leaf(1))))
    run = function(program(call, copying_kernel(call, status)), kind=kind)
    with pytest.raises(ArithmeticError) as caught:
        run(np.zeros(3), np.float64(1))
    assert caught.value.args == (status,)


def test_what_the_error_hook_returns_is_the_answer():
    from .call_programs import CompiledCallable, copying_kernel, refuse

    call = signature([spec("d")])
    run = CompiledCallable(refuse, lambda status, x: ("status", status))
    run.add(program(call, copying_kernel(call, 3)))
    assert run(np.float64(1)) == ("status", 3)


def test_the_error_hook_gets_the_arguments(kind):
    from .call_programs import copying_kernel, refuse

    call = signature([spec("d", 2), spec("d", 2)], keywords=("scale",))
    run = kind(refuse, lambda status, *args, **kwargs: (status, args, kwargs))
    run.add(program(call, copying_kernel(call, 7)))
    x, y = np.zeros(2), np.ones(2)
    status, (found,), named = run(x, scale=y)
    assert (status, list(named)) == (7, ["scale"])
    assert found is x
    assert named["scale"] is y


def test_a_program_can_find_that_it_is_not_for_its_arguments(kind):
    from .call_programs import copying_kernel, refuse

    call = signature([spec("d", 3)])
    run = kind(lambda x: "slow", refuse)
    run.add(program(call, copying_kernel(call, MISMATCH)))
    assert run(np.zeros(3)) == "slow"
    run = kind(refuse, refuse)
    run.add(copying_program(3))
    run.add(program(call, copying_kernel(call, MISMATCH)))
    assert run(np.arange(3.0)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("status", [0, MISMATCH, 5])
@pytest.mark.parametrize("release_gil", [False, True])
def test_a_status_behind_the_outputs(kind, status, release_gil):

    call = signature([spec("d")], parameters=(Leaf(0),))
    kernel = f"""
define i32 @gd.main(ptr %in, ptr %out, ptr %status) {{
  %x = load double, ptr %in
  store double %x, ptr %out
  store i32 {status}, ptr %status
  ret i32 0
}}
"""
    text = kernel + emit_entry(call, release_gil=release_gil, has_status=True)
    run = kind(lambda x: "slow", lambda status, x: ("status", status))
    run.add(link_program(jit.compile_object(text), call))
    expected = {0: 2.0, MISMATCH: "slow"}.get(status, ("status", status))
    assert run(np.float64(2.0)) == expected


@pytest.mark.parametrize("release_gil", [False, True])
def test_released_lock(kind, release_gil):
    call = signature([spec("d", 3)])
    run = function(program(call, release_gil=release_gil), kind=kind)
    assert run(np.arange(3.0)).tolist() == [0, 1, 2]


def test_many_leaves(kind):
    specs = [spec("d", 2) if i % 3 else spec("f") for i in range(300)]
    run = function(program(flat_signature(specs, specs)), kind=kind)
    args = [example(s.dtype, s.shape) for s in specs]
    for result, arg in zip(run(*args), args, strict=True):
        np.testing.assert_array_equal(result, arg)
    args[299] = args[299][:1]
    with pytest.raises(SlowPathTaken):
        run(*args)


BAD_SIGNATURES = {
    "leaves": lambda: signature([spec("d")] * 2, parameters=(Leaf(0), Leaf(0))),
    "outputs": lambda: signature([spec("d")], Leaf(1)),
    "cannot be weak": lambda: signature(
        [spec("d")], outputs=[ArraySpec(np.dtype("d"), (), "float")]
    ),
    "keywords": lambda: signature([spec("d")], keywords=("a", "b")),
    "at most": lambda: flat_signature([spec("d")] * 16385, []),
    "dtype": lambda: spec(object, 3),
    "dtype ": lambda: spec(">f8" if np.little_endian else "<f8", 3),
    "'S5'": lambda: spec("S5"),
    "<U2": lambda: spec("U2"),
    "M8": lambda: spec("M8[s]"),
    "V8": lambda: spec("V8"),
    "'x'": lambda: spec([("x", "f8")]),
    "float128|float64|longdouble": lambda: spec(np.longdouble),
    "StringDType": lambda: spec(np.dtypes.StringDType()),
    "a Python float": lambda: ArraySpec(np.dtype("f4"), (), "float"),
    "a Python int": lambda: ArraySpec(np.dtype("q"), (1,), "int"),
}


@pytest.mark.parametrize("name", BAD_SIGNATURES)
def test_impossible_signatures_are_refused(name):
    with pytest.raises(ValueError, match=name.strip()):
        BAD_SIGNATURES[name]()
