// RUN: gradatim-opt %s -p 'array-vmap{size=8 in-axes=0,-1}' --split-input-file | filecheck %s

// Only the array has a batch.

// The same position for all examples: the batch is taken as a whole.

func.func @slice(%x: tensor<4x6xf64>, %i: tensor<i64>) -> tensor<2x6xf64> {
  %y = array.dynamic_slice %x[%i, %i] : tensor<4x6xf64> -> tensor<2x6xf64>
  func.return %y : tensor<2x6xf64>
}

// CHECK-LABEL: func.func @slice(%x: tensor<8x4x6xf64>, %i: tensor<i64>) -> tensor<8x2x6xf64>
// CHECK-NEXT:    %0 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %y = array.dynamic_slice %x[%0, %i, %i] : tensor<8x4x6xf64> -> tensor<8x2x6xf64>
// CHECK-NEXT:    func.return %y : tensor<8x2x6xf64>

// -----

// Positions beside a batch.

func.func @gather(%x: tensor<4x6xf64>, %i: tensor<3xi64>) -> tensor<3x4xf64> {
  %y = array.gather %x[%i] dims [1] : tensor<4x6xf64>, tensor<3xi64> -> tensor<3x4xf64>
  func.return %y : tensor<3x4xf64>
}

// CHECK-LABEL: func.func @gather(%x: tensor<8x4x6xf64>, %i: tensor<3xi64>) -> tensor<8x3x4xf64>
// CHECK-NEXT:    %y = array.gather %x[%i] dims [2] : tensor<8x4x6xf64>, tensor<3xi64> -> tensor<3x8x4xf64>
// CHECK-NEXT:    %0 = array.transpose %y permutation [1, 0, 2] : tensor<3x8x4xf64> -> tensor<8x3x4xf64>
// CHECK-NEXT:    func.return %0 : tensor<8x3x4xf64>
