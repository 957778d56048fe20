// RUN: gradatim-opt %s -p array-fuse | filecheck %s

// A sort is a kernel of its own, which writes the results that are asked for.

func.func @f(%x: tensor<3x8xf32>) -> (tensor<3x8xf32>, tensor<3x8xf32>) {
  %y = array.neg %x : tensor<3x8xf32>
  %s, %p = array.sort %y dim 1 keys 1 : tensor<3x8xf32> -> tensor<3x8xf32>, tensor<3x8xi64>
  %t, %q = array.sort %x dim 0 keys 1 : tensor<3x8xf32> -> tensor<3x8xf32>, tensor<3x8xi64>
  %z = array.convert %q : tensor<3x8xi64> -> tensor<3x8xf32>
  func.return %s, %z : tensor<3x8xf32>, tensor<3x8xf32>
}

// CHECK:      %s = kernel.fusion ins(%y_1 = %y : tensor<3x8xf32>) schedule<rows = [0], vector = 8> {
// CHECK-NEXT:   %s_1, %p = array.sort %y_1 dim 1 keys 1
// CHECK-NEXT:   kernel.yield %s_1 : tensor<3x8xf32>
// CHECK-NEXT: } -> (tensor<3x8xf32>)
// CHECK:      %q = kernel.fusion ins(%x_1 = %x : tensor<3x8xf32>) schedule<rows = [1], vector = 8> {
// CHECK-NEXT:   %t, %q_1 = array.sort %x_1 dim 0 keys 1
// CHECK-NEXT:   kernel.yield %q_1 : tensor<3x8xi64>
