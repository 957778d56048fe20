// RUN: gradatim-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: array.sin does not take i32 operands
func.func @integers_have_no_sine(%x: tensor<3xi32>) {
  %y = array.sin %x : tensor<3xi32>
  func.return
}

// -----

// CHECK: tensor<?xf32> has no NumPy counterpart
func.func @shapes_are_static(%x: tensor<?xf32>) {
  %y = array.neg %x : tensor<?xf32>
  func.return
}

// -----

// CHECK: tensor<2xbf16> has no NumPy counterpart
func.func @element_types_are_numpys(%x: tensor<2xbf16>) {
  %y = array.neg %x : tensor<2xbf16>
  func.return
}

// -----

// CHECK: array.abs: result is c64[2], not f32[2]
func.func @a_modulus_is_real(%x: tensor<2xcomplex<f32>>) {
  %y = array.abs %x : tensor<2xcomplex<f32>> -> tensor<2xcomplex<f32>>
  func.return
}

// -----

// CHECK: array.compare lt does not take c64 operands
func.func @complex_numbers_have_no_order(%x: tensor<2xcomplex<f32>>) {
  %y = array.compare lt %x, %x : tensor<2xcomplex<f32>> -> tensor<2xi1>
  func.return
}

// -----

// CHECK: array.select needs a bool predicate, got i8[2] and f32[2] and f32[2]
func.func @a_predicate_is_bool(%p: tensor<2xi8>, %x: tensor<2xf32>) {
  %y = array.select %p, %x, %x : tensor<2xi8>, tensor<2xf32>
  func.return
}

// -----

// CHECK: array.bitcast_convert needs dtypes of one size, got f32 and i64
func.func @bits_are_kept(%x: tensor<2xf32>) {
  %y = array.bitcast_convert %x : tensor<2xf32> -> tensor<2xi64>
  func.return
}

// -----

// CHECK: array.reduce xor does not take f32 operands
func.func @floats_have_no_xor(%x: tensor<2xf32>) {
  %y = array.reduce xor %x dims [0] : tensor<2xf32> -> tensor<f32>
  func.return
}
