// RUN: gradatim-opt %s -p "array-fuse{vector-bits=256}" | filecheck %s

// A chain is one loop over all elements; constants come along.
func.func @chain(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %c = array.constant dense<2.0> : tensor<4x8xf32>
  %a = array.mul %x, %c : tensor<4x8xf32>
  %b = array.sin %a : tensor<4x8xf32>
  func.return %b : tensor<4x8xf32>
}
// CHECK-LABEL: func.func @chain
// CHECK-NEXT: %b = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:   %c = array.constant dense<2.000000e+00>
// CHECK-NEXT:   %a = array.mul %x_1, %c
// CHECK-NEXT:   %b_1 = array.sin %a
// CHECK-NEXT:   kernel.yield %b_1
// CHECK-NEXT: } -> (tensor<4x8xf32>)
// CHECK-NEXT: func.return %b

// Independent ops of one shape share a loop; others do not.
func.func @siblings(%x: tensor<8xf64>, %y: tensor<8xf64>, %z: tensor<9xf64>) -> (tensor<8xf64>, tensor<9xf64>, tensor<8xf64>) {
  %a = array.sin %x : tensor<8xf64>
  %b = array.sin %z : tensor<9xf64>
  %c = array.cos %y : tensor<8xf64>
  func.return %a, %b, %c : tensor<8xf64>, tensor<9xf64>, tensor<8xf64>
}
// CHECK-LABEL: func.func @siblings
// CHECK-NEXT: %a, %c = kernel.fusion ins(%x_1 = %x : tensor<8xf64>, %y_1 = %y : tensor<8xf64>) schedule<rows = [], vector = 4>
// CHECK: %b = kernel.fusion ins(%z_1 = %z : tensor<9xf64>)

// A broadcast is never in memory, unless it is a result. What it reads is a row.
func.func @bias(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %w = array.broadcast %b dims [1] : tensor<8xf32> -> tensor<4x8xf32>
  %y = array.add %x, %w : tensor<4x8xf32>
  %z = array.neg %y : tensor<4x8xf32>
  func.return %y, %z : tensor<4x8xf32>, tensor<4x8xf32>
}
// CHECK-LABEL: func.func @bias
// CHECK-NEXT: %y, %z = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>, %b_1 = %b : tensor<8xf32>) schedule<rows = [0], vector = 8> {
// CHECK-NEXT:   array.broadcast %b_1 dims [1]
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// An operand that is read along two dimensions is passed twice.
func.func @outer(%x: tensor<4xf32>) -> tensor<4x4xf32> {
  %p = array.broadcast %x dims [0] : tensor<4xf32> -> tensor<4x4xf32>
  %q = array.broadcast %x dims [1] : tensor<4xf32> -> tensor<4x4xf32>
  %s = array.sub %p, %q : tensor<4x4xf32>
  func.return %s : tensor<4x4xf32>
}
// CHECK-LABEL: func.func @outer
// CHECK-NEXT: kernel.fusion ins(%x_1 = %x : tensor<4xf32>, %x_2 = %x : tensor<4xf32>) schedule<rows = [0], vector = 4>

// What is dear is computed once, in a kernel of its own, if two loops need it.
func.func @outer_of_sines(%x: tensor<4xf32>) -> tensor<4x4xf32> {
  %y = array.sin %x : tensor<4xf32>
  %p = array.broadcast %y dims [0] : tensor<4xf32> -> tensor<4x4xf32>
  %q = array.broadcast %y dims [1] : tensor<4xf32> -> tensor<4x4xf32>
  %s = array.sub %p, %q : tensor<4x4xf32>
  func.return %s : tensor<4x4xf32>
}
// CHECK-LABEL: func.func @outer_of_sines
// CHECK-NEXT: %y = kernel.fusion ins(%x_1 = %x
// CHECK-NEXT:   array.sin
// CHECK: kernel.fusion ins(%y_1 = %y : tensor<4xf32>, %y_2 = %y : tensor<4xf32>)
// CHECK-NOT: array.sin
// CHECK: func.return

// Scalars run in no loop.
func.func @scalar(%x: tensor<f64>) -> tensor<f64> {
  %y = array.exp %x : tensor<f64>
  func.return %y : tensor<f64>
}
// CHECK-LABEL: func.func @scalar
// CHECK-NEXT: schedule<rows = [], vector = 1>

// A large kernel runs in parallel, a small one does not.
func.func @parallel(%x: tensor<1000000xf32>, %y: tensor<1000xf32>) -> (tensor<1000000xf32>, tensor<1000xf32>) {
  %a = array.exp %x : tensor<1000000xf32>
  %b = array.exp %y : tensor<1000xf32>
  func.return %a, %b : tensor<1000000xf32>, tensor<1000xf32>
}
// CHECK-LABEL: func.func @parallel
// CHECK-NEXT: schedule<rows = [], parallel = [0], vector = 8>
// CHECK: schedule<rows = [], vector = 8>

// Dead ops are in no kernel.
func.func @dead(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = array.exp %x : tensor<4xf32>
  %b = array.sin %a : tensor<4xf32>
  func.return %a : tensor<4xf32>
}
// CHECK-LABEL: func.func @dead
// CHECK-NOT: array.sin
// CHECK: func.return

// Arguments and constants can be results; only a constant of equal elements is computed.
func.func @no_kernel(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2xf32>, tensor<2xf32>) {
  %c = array.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %d = array.constant dense<3.0> : tensor<2xf32>
  func.return %x, %c, %d : tensor<4xf32>, tensor<2xf32>, tensor<2xf32>
}
// CHECK-LABEL: func.func @no_kernel
// CHECK-NEXT: %c = array.constant dense<[1.000000e+00, 2.000000e+00]>
// CHECK-NEXT: %d = kernel.fusion ins() schedule<rows = [], vector = 2> {
// CHECK: func.return %x, %c, %d
