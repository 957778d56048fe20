"""Types, dense attributes and their spelling."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    BFloat16Type,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    Float32Type,
    IndexType,
    IntegerType,
    MemRefType,
    TensorType,
)

from gradatim.ir.errors import DtypeError
from gradatim.ir.types import (
    ELEMENT_TYPES,
    dense,
    dtype_of,
    element_of,
    is_splat,
    normalized,
    parse_spelling,
    shape_of,
    spell,
    spell_dtype,
    spell_info,
    splat,
    tensor_info,
    tensor_type,
    to_numpy,
)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_types_are_interned_and_read_back(dtype):
    for shape in ((), (0,), (3, 4)):
        type_ = tensor_type(shape, dtype)
        assert tensor_type(shape, np.dtype(dtype.str)) is type_
        assert tensor_info(type_) == (shape, dtype)
        written_out = TensorType(ELEMENT_TYPES[dtype], shape)
        assert written_out is not type_ and written_out == type_
        assert (shape_of(written_out), dtype_of(written_out)) == (shape, dtype)


@pytest.mark.parametrize(
    ("shape", "dtype", "spelled"),
    [
        ((), np.bool_, "bool[]"),
        ((3, 4), np.float32, "f32[3,4]"),
        ((0,), np.uint8, "u8[0]"),
        ((2,), np.complex128, "c128[2]"),
        ((1, 1), np.int64, "i64[1,1]"),
    ],
)
def test_spelling(shape, dtype, spelled):
    assert spell(tensor_type(shape, np.dtype(dtype))) == spelled
    assert parse_spelling(spelled) == (shape, np.dtype(dtype))


@pytest.mark.parametrize("spelled", ["", "f32", "f32[", "f32[3,]", "f16[2]", "f32[-1]", "x8[2]"])
def test_what_spells_no_type(spelled):
    with pytest.raises(DtypeError, match="is no array type"):
        parse_spelling(spelled)


def test_spelling_of_unsupported_dtypes():
    assert spell_dtype(np.dtype(object)) == "object"
    assert spell_info((2,), np.dtype(">f8")) == ">f8[2]"
    assert spell_info((), np.dtype(np.float16)) == "float16[]"


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, object, ">f8", "datetime64[s]", "U3"])
def test_unsupported_dtypes_are_named(dtype):
    with pytest.raises(DtypeError, match="is not supported; supported are bool, int8"):
        tensor_type((2,), np.dtype(dtype))


@pytest.mark.parametrize(
    "type_",
    [
        TensorType(Float32Type(), [DYNAMIC_INDEX]),
        TensorType(IndexType(), [2]),
        TensorType(BFloat16Type(), [2]),
        TensorType(IntegerType(7), [2]),
        MemRefType(Float32Type(), [2]),
        Float32Type(),
    ],
    ids=str,
)
def test_types_that_no_array_has(type_):
    with pytest.raises(DtypeError, match=r"has no NumPy counterpart|expected a tensor type"):
        tensor_info(type_)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_dense_stores_equal_elements_once(dtype):
    ones = np.ones((3, 4), dtype)
    mixed = ones.copy()
    mixed[2, 3] = 0
    attribute = dense(ones)
    assert is_splat(attribute) and len(attribute.data.data) == dtype.itemsize
    assert attribute == splat((3, 4), dtype, 1) == dense(np.broadcast_to(ones[0, 0], (3, 4)))
    assert element_of(attribute) == 1 and element_of(attribute).dtype == dtype
    assert not is_splat(dense(mixed))
    for array in (ones, mixed, mixed.T, mixed[::-1, ::2], ones[:0], mixed[0, 0]):
        back = to_numpy(dense(array))
        assert back.dtype == dtype and back.shape == array.shape and (back == array).all()


def test_dense_tells_zeros_and_nans_apart():
    assert not is_splat(dense(np.array([0.0, -0.0])))
    assert is_splat(dense(np.array([np.nan, np.nan])))
    other_nan = np.array([0x7FF8000000000001], np.uint64).view(float)
    assert not is_splat(dense(np.append(other_nan, np.nan)))
    assert splat((2,), np.dtype(float), 0.0) != splat((2,), np.dtype(float), -0.0)


def test_a_splat_takes_no_memory():
    array = to_numpy(splat((10**6, 10**6), np.dtype(np.float64), 1.5))
    assert array.shape == (10**6, 10**6) and array[-1, -1] == 1.5
    assert not array.flags.writeable


def test_splats_are_interned():
    dtype = np.dtype(np.float32)
    assert splat((3,), dtype, 1.0) is splat((3,), dtype, np.float32(1))
    assert splat((0,), dtype, 1.0).data.data == b""


@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_normalized_is_what_dense_makes(dtype):
    for array in (np.ones(3), np.array([1, 0, 1]), np.ones(()), np.ones((2, 0))):
        attribute = dense(array.astype(dtype))
        full = np.ascontiguousarray(array.astype(dtype)).tobytes()
        as_parsed = full.replace(b"\x01", b"\xff") if dtype == np.bool_ else full
        parsed = DenseIntOrFPElementsAttr(attribute.type, BytesAttr(as_parsed))
        assert normalized(parsed) == attribute == normalized(attribute)
