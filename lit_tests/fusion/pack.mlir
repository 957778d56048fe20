// RUN: gradatim-opt %s -p array-pack-operands | filecheck %s

// Products by a transposed matrix in a loop: it is transposed once, before the loop. The original
// is not handed in any more.
func.func @loop(%w: tensor<64x64xf32>, %x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %y = array.scan length 100 consts(%w : tensor<64x64xf32>) carries(%x : tensor<8x64xf32>) {
  ^bb0(%i: tensor<i64>, %v: tensor<64x64xf32>, %h: tensor<8x64xf32>):
    %p = array.dot_general %h, %v batch [] x [] contract [1] x [1] : tensor<8x64xf32>, tensor<64x64xf32> -> tensor<8x64xf32>
    %t = array.tanh %p : tensor<8x64xf32>
    %q = array.dot_general %t, %v batch [] x [] contract [1] x [1] : tensor<8x64xf32>, tensor<64x64xf32> -> tensor<8x64xf32>
    array.yield %q : tensor<8x64xf32>
  }
  func.return %y : tensor<8x64xf32>
}
// CHECK-LABEL: func.func @loop
// CHECK-NEXT:    [[T:%.*]] = array.transpose %w permutation [1, 0] : tensor<64x64xf32> -> tensor<64x64xf32>
// CHECK-NEXT:    %y = array.scan length 100 consts([[T]] : tensor<64x64xf32>) carries(%x
// CHECK:           [[P:%.*]] = array.dot_general %h, [[V:%.*]] batch [] x [] contract [1] x [0]
// CHECK-NEXT:      %t = array.tanh [[P]]
// CHECK-NEXT:      array.dot_general %t, [[V]] batch [] x [] contract [1] x [0]

// Not where the loop is short, the matrix is far, or its columns are next to each other already,
// nor what the loop changes.
func.func @stays(%w: tensor<64x64xf32>, %f: tensor<512x512xf32>, %x: tensor<8x64xf32>, %z: tensor<8x512xf32>) -> (tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x512xf32>) {
  %a = array.scan length 4 consts(%w : tensor<64x64xf32>) carries(%x : tensor<8x64xf32>) {
  ^bb0(%i: tensor<i64>, %v: tensor<64x64xf32>, %h: tensor<8x64xf32>):
    %p = array.dot_general %h, %v batch [] x [] contract [1] x [1] : tensor<8x64xf32>, tensor<64x64xf32> -> tensor<8x64xf32>
    array.yield %p : tensor<8x64xf32>
  }
  %b, %u = array.scan length 100 consts(%w : tensor<64x64xf32>) carries(%x, %w : tensor<8x64xf32>, tensor<64x64xf32>) {
  ^bb0(%i: tensor<i64>, %v: tensor<64x64xf32>, %h: tensor<8x64xf32>, %c: tensor<64x64xf32>):
    %p = array.dot_general %h, %v batch [] x [] contract [1] x [0] : tensor<8x64xf32>, tensor<64x64xf32> -> tensor<8x64xf32>
    %q = array.dot_general %p, %c batch [] x [] contract [1] x [1] : tensor<8x64xf32>, tensor<64x64xf32> -> tensor<8x64xf32>
    %n = array.neg %c : tensor<64x64xf32>
    array.yield %q, %n : tensor<8x64xf32>, tensor<64x64xf32>
  }
  %c = array.scan length 100 consts(%f : tensor<512x512xf32>) carries(%z : tensor<8x512xf32>) {
  ^bb0(%i: tensor<i64>, %v: tensor<512x512xf32>, %h: tensor<8x512xf32>):
    %p = array.dot_general %h, %v batch [] x [] contract [1] x [1] : tensor<8x512xf32>, tensor<512x512xf32> -> tensor<8x512xf32>
    array.yield %p : tensor<8x512xf32>
  }
  func.return %a, %b, %c : tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x512xf32>
}
// CHECK-LABEL: func.func @stays
// CHECK-NOT:     array.transpose
// CHECK:         func.return

// Of batches the contracted dimensions come behind those of the batch. In a while loop both regions
// take the new order.
func.func @batches(%w: tensor<2x64x32xf32>, %x: tensor<2x8x32xf32>, %n: tensor<i64>) -> tensor<2x8x64xf32> {
  %0 = array.constant dense<0.0> : tensor<2x8x64xf32>
  %m, %y = array.while consts(%w, %x : tensor<2x64x32xf32>, tensor<2x8x32xf32>) carries(%n, %0 : tensor<i64>, tensor<2x8x64xf32>) {
  ^bb0(%v: tensor<2x64x32xf32>, %h: tensor<2x8x32xf32>, %i: tensor<i64>, %s: tensor<2x8x64xf32>):
    %zero = array.constant dense<0> : tensor<i64>
    %more = array.compare gt %i, %zero : tensor<i64> -> tensor<i1>
    array.yield %more : tensor<i1>
  } do {
  ^bb0(%v: tensor<2x64x32xf32>, %h: tensor<2x8x32xf32>, %i: tensor<i64>, %s: tensor<2x8x64xf32>):
    %one = array.constant dense<1> : tensor<i64>
    %j = array.sub %i, %one : tensor<i64>
    %p = array.dot_general %h, %v batch [0] x [0] contract [2] x [2] : tensor<2x8x32xf32>, tensor<2x64x32xf32> -> tensor<2x8x64xf32>
    %t = array.add %s, %p : tensor<2x8x64xf32>
    array.yield %j, %t : tensor<i64>, tensor<2x8x64xf32>
  }
  func.return %y : tensor<2x8x64xf32>
}
// CHECK-LABEL: func.func @batches
// CHECK:         array.transpose %w permutation [0, 2, 1] : tensor<2x64x32xf32> -> tensor<2x32x64xf32>
// CHECK:         batch [0] x [0] contract [2] x [1]
