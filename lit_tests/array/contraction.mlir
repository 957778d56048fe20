// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s

// CHECK-LABEL: func.func @products
// CHECK-NEXT:    %p = array.dot_general %x, %y batch [0] x [0] contract [2] x [1] : tensor<5x3x4xf32>, tensor<5x4x2xf32> -> tensor<5x3x2xf32>
// CHECK-NEXT:    %q = array.dot_general %p, %p batch [] x [] contract [0, 1, 2] x [0, 1, 2] : tensor<5x3x2xf32>, tensor<5x3x2xf32> -> tensor<f32>
func.func @products(%x: tensor<5x3x4xf32>, %y: tensor<5x4x2xf32>) -> tensor<f32> {
  %p = array.dot_general %x, %y batch [0] x [0] contract [2] x [1] : tensor<5x3x4xf32>, tensor<5x4x2xf32> -> tensor<5x3x2xf32>
  %q = array.dot_general %p, %p batch [] x [] contract [0, 1, 2] x [0, 1, 2] : tensor<5x3x2xf32>, tensor<5x3x2xf32> -> tensor<f32>
  func.return %q : tensor<f32>
}

// CHECK-LABEL: func.func @convolution
// CHECK-NEXT:    %y = array.convolution %x, %w strides [2] low [1] high [-1] lhs_dilation [1] rhs_dilation [3] groups 2 : tensor<2x9x4xf32>, tensor<3x2x6xf32> -> tensor<2x2x6xf32>
func.func @convolution(%x: tensor<2x9x4xf32>, %w: tensor<3x2x6xf32>) -> tensor<2x2x6xf32> {
  %y = array.convolution %x, %w strides [2] low [1] high [-1] lhs_dilation [1] rhs_dilation [3] groups 2 : tensor<2x9x4xf32>, tensor<3x2x6xf32> -> tensor<2x2x6xf32>
  func.return %y : tensor<2x2x6xf32>
}
