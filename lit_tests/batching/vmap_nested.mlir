// RUN: gradatim-opt %s -p 'array-vmap{size=8 in-axes=0,-1},array-vmap{size=5 in-axes=-1,0},array-canonicalize' | filecheck %s

// All pairs of two batches: one vmap in the other makes a matrix product of a scalar one.

func.func @pairs(%x: tensor<4xf64>, %y: tensor<4xf64>) -> tensor<f64> {
  %a = array.dot_general %x, %y batch [] x [] contract [0] x [0] : tensor<4xf64>, tensor<4xf64> -> tensor<f64>
  func.return %a : tensor<f64>
}

// CHECK-LABEL: func.func @pairs
// CHECK-SAME:    (%x: tensor<8x4xf64>, %y: tensor<5x4xf64>) -> tensor<5x8xf64>
// CHECK-NEXT:    %0 = array.dot_general %y, %x batch [] x [] contract [1] x [1] : tensor<5x4xf64>, tensor<8x4xf64> -> tensor<5x8xf64>
// CHECK-NEXT:    func.return %0
