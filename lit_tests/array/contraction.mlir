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
