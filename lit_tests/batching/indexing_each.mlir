// RUN: gradatim-opt %s -p 'array-vmap{size=8}' --split-input-file | filecheck %s

// Array and positions both have a batch, which is one more dimension that is indexed.

// A window for each example is a gather from its element of the batch.

func.func @slice(%x: tensor<6x4xf64>, %i: tensor<i64>) -> tensor<2x4xf64> {
  %y = array.dynamic_slice %x[%i, %i] : tensor<6x4xf64> -> tensor<2x4xf64>
  func.return %y : tensor<2x4xf64>
}

// CHECK-LABEL: func.func @slice(%x: tensor<8x6x4xf64>, %i: tensor<8xi64>) -> tensor<8x2x4xf64>
// CHECK-NEXT:    %0 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %1 = array.constant dense<0> : tensor<8xi64>
// CHECK-NEXT:    %2 = array.constant dense<4> : tensor<8xi64>
// CHECK-NEXT:    %3 = array.clamp %1, %i, %2 : tensor<8xi64>
// CHECK-NEXT:    %4 = array.broadcast %3 dims [0] : tensor<8xi64> -> tensor<8x2xi64>
// CHECK-NEXT:    %5 = array.iota dim 1 : tensor<8x2xi64>
// CHECK-NEXT:    %6 = array.add %4, %5 : tensor<8x2xi64>
// CHECK-NEXT:    %7 = array.iota dim 0 : tensor<8x2xi64>
// CHECK-NEXT:    %y = array.gather %x[%7, %6] dims [0, 1] : tensor<8x6x4xf64>, tensor<8x2xi64>, tensor<8x2xi64> -> tensor<8x2x4xf64>
// CHECK-NEXT:    func.return %y : tensor<8x2x4xf64>

// -----

func.func @gather(%x: tensor<4x6xf64>, %i: tensor<3xi64>) -> tensor<3x4xf64> {
  %y = array.gather %x[%i] dims [1] : tensor<4x6xf64>, tensor<3xi64> -> tensor<3x4xf64>
  func.return %y : tensor<3x4xf64>
}

// CHECK-LABEL: func.func @gather(%x: tensor<8x4x6xf64>, %i: tensor<8x3xi64>) -> tensor<8x3x4xf64>
// CHECK-NEXT:    %0 = array.iota dim 0 : tensor<8x3xi64>
// CHECK-NEXT:    %y = array.gather %x[%0, %i] dims [0, 2] : tensor<8x4x6xf64>, tensor<8x3xi64>, tensor<8x3xi64> -> tensor<8x3x4xf64>
// CHECK-NEXT:    func.return %y : tensor<8x3x4xf64>
