// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// Equal elements are one; what xDSL's parser would misread is printed in digits.
// CHECK-LABEL: func.func @constants
// CHECK-NEXT:    array.constant dense<2.500000e+00> : tensor<2x2xf32>
// CHECK-NEXT:    array.constant dense<[true, false]> : tensor<2xi1>
// CHECK-NEXT:    array.constant dense<255> : tensor<ui8>
// CHECK-NEXT:    array.constant dense<(1.000000e+00,-2.000000e+00)> : tensor<complex<f64>>
// CHECK-NEXT:    array.constant dense<16777217.0> : tensor<f64>
// CHECK-NEXT:    array.constant dense<"0x000080FF"> : tensor<3xf32>
// CHECK-NEXT:    array.constant dense<"0x0000000000000080"> : tensor<2xf32>
// CHECK-NEXT:    array.constant dense<> : tensor<0xf32>
func.func @constants() {
  %a = array.constant dense<[[2.5, 2.5], [2.5, 2.5]]> : tensor<2x2xf32>
  %b = array.constant dense<[true, false]> : tensor<2xi1>
  %c = array.constant dense<255> : tensor<ui8>
  %d = array.constant dense<(1.0, -2.0)> : tensor<complex<f64>>
  %e = array.constant dense<16777217.0> : tensor<f64>
  %f = array.constant dense<"0x000080FF"> : tensor<3xf32>
  %g = array.constant dense<[0.0, -0.0]> : tensor<2xf32>
  %h = array.constant dense<> : tensor<0xf32>
  func.return
}

// CHECK-LABEL: func.func @places
// CHECK-NEXT:    %i = array.iota dim 1 : tensor<2x3xi64>
// CHECK-NEXT:    %b = array.broadcast %x dims [1] : tensor<3xf32> -> tensor<2x3xf32>
// CHECK-NEXT:    %t = array.transpose %b permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
// CHECK-NEXT:    %s = array.slice %t starts [0, 1] limits [3, 2] strides [2, 1] : tensor<3x2xf32> -> tensor<2x1xf32>
// CHECK-NEXT:    %r = array.reshape %s : tensor<2x1xf32> -> tensor<2xf32>
// CHECK-NEXT:    %v = array.reverse %r dims [0] : tensor<2xf32>
// CHECK-NEXT:    %p = array.pad %v, %z low [-1] high [2] interior [1] : tensor<2xf32>, tensor<f32> -> tensor<4xf32>
// CHECK-NEXT:    %c = array.concatenate %p, %x dim 0 : tensor<4xf32>, tensor<3xf32> -> tensor<7xf32>
// GENERIC: "array.broadcast"(%x) <{dims = #array<integers [1]>}>
// GENERIC: "array.concatenate"(%p, %x) <{dim = #array<dimension 0>}>
func.func @places(%x: tensor<3xf32>, %z: tensor<f32>) -> (tensor<2x3xi64>, tensor<7xf32>) {
  %i = array.iota dim 1 : tensor<2x3xi64>
  %b = array.broadcast %x dims [1] : tensor<3xf32> -> tensor<2x3xf32>
  %t = array.transpose %b permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %s = array.slice %t starts [0, 1] limits [3, 2] strides [2, 1] : tensor<3x2xf32> -> tensor<2x1xf32>
  %r = array.reshape %s : tensor<2x1xf32> -> tensor<2xf32>
  %v = array.reverse %r dims [0] : tensor<2xf32>
  %p = array.pad %v, %z low [-1] high [2] interior [1] : tensor<2xf32>, tensor<f32> -> tensor<4xf32>
  %c = array.concatenate %p, %x dim 0 : tensor<4xf32>, tensor<3xf32> -> tensor<7xf32>
  func.return %i, %c : tensor<2x3xi64>, tensor<7xf32>
}
