// RUN: gradatim-opt %s -p 'array-vmap{size=8 in-axes=-1,0,0}' --split-input-file | filecheck %s

// Updates of one array at positions that differ between examples.

// A window for each example.

func.func @update(%x: tensor<6xf64>, %u: tensor<2xf64>, %i: tensor<i64>) -> tensor<6xf64> {
  %y = array.dynamic_update_slice %x[%i], %u : tensor<6xf64>, tensor<2xf64>
  func.return %y : tensor<6xf64>
}

// CHECK-LABEL: func.func @update(%x: tensor<6xf64>, %u: tensor<8x2xf64>, %i: tensor<8xi64>) -> tensor<8x6xf64>
// CHECK-NEXT:    %0 = array.broadcast %x dims [1] : tensor<6xf64> -> tensor<8x6xf64>
// CHECK-NEXT:    %1 = array.constant dense<0> : tensor<8xi64>
// CHECK-NEXT:    %2 = array.constant dense<4> : tensor<8xi64>
// CHECK-NEXT:    %3 = array.clamp %1, %i, %2 : tensor<8xi64>
// CHECK-NEXT:    %4 = array.broadcast %3 dims [0] : tensor<8xi64> -> tensor<8x2xi64>
// CHECK-NEXT:    %5 = array.iota dim 1 : tensor<8x2xi64>
// CHECK-NEXT:    %6 = array.add %4, %5 : tensor<8x2xi64>
// CHECK-NEXT:    %7 = array.iota dim 0 : tensor<8x2xi64>
// CHECK-NEXT:    %y = array.scatter set %0[%7, %6], %u dims [0, 1] unique : tensor<8x6xf64>, tensor<8x2xf64>, tensor<8x2xi64>, tensor<8x2xi64>
// CHECK-NEXT:    func.return %y : tensor<8x6xf64>

// -----

func.func @scatter(%x: tensor<5xf64>, %u: tensor<3xf64>, %i: tensor<3xi64>) -> tensor<5xf64> {
  %y = array.scatter add %x[%i], %u dims [0] : tensor<5xf64>, tensor<3xf64>, tensor<3xi64>
  func.return %y : tensor<5xf64>
}

// CHECK-LABEL: func.func @scatter(%x: tensor<5xf64>, %u: tensor<8x3xf64>, %i: tensor<8x3xi64>) -> tensor<8x5xf64>
// CHECK-NEXT:    %0 = array.broadcast %x dims [1] : tensor<5xf64> -> tensor<8x5xf64>
// CHECK-NEXT:    %1 = array.iota dim 0 : tensor<8x3xi64>
// CHECK-NEXT:    %y = array.scatter add %0[%1, %i], %u dims [0, 1] : tensor<8x5xf64>, tensor<8x3xf64>, tensor<8x3xi64>, tensor<8x3xi64>
// CHECK-NEXT:    func.return %y : tensor<8x5xf64>
