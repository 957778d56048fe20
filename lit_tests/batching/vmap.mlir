// RUN: gradatim-opt %s -p 'array-vmap{size=8 in-axes=0,-1}' --split-input-file | filecheck %s

// What is the same for all examples is computed once; it is repeated only where it meets the batch.

func.func @shared(%x: tensor<3xf64>, %w: tensor<3xf64>) -> tensor<3xf64> {
  %two = array.constant dense<2.0> : tensor<3xf64>
  %a = array.exp %w : tensor<3xf64>
  %b = array.mul %x, %a : tensor<3xf64>
  %c = array.mul %b, %two : tensor<3xf64>
  func.return %c : tensor<3xf64>
}

// CHECK-LABEL: func.func @shared
// CHECK-SAME:    (%x: tensor<8x3xf64>, %w: tensor<3xf64>) -> tensor<8x3xf64>
// CHECK-NEXT:    %two = array.constant dense<2.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %a = array.exp %w : tensor<3xf64>
// CHECK-NEXT:    %0 = array.broadcast %a dims [1] : tensor<3xf64> -> tensor<8x3xf64>
// CHECK-NEXT:    %b = array.mul %x, %0 : tensor<8x3xf64>
// CHECK-NEXT:    %1 = array.constant dense<2.000000e+00> : tensor<8x3xf64>
// CHECK-NEXT:    %c = array.mul %b, %1 : tensor<8x3xf64>
// CHECK-NEXT:    func.return %c

// -----

// A result that is the same for all is repeated where an axis is asked for.

func.func @repeated_result(%x: tensor<3xf64>, %w: tensor<3xf64>) -> tensor<3xf64> {
  %a = array.exp %w : tensor<3xf64>
  func.return %a : tensor<3xf64>
}

// CHECK-LABEL: func.func @repeated_result
// CHECK-SAME:    (%x: tensor<8x3xf64>, %w: tensor<3xf64>) -> tensor<8x3xf64>
// CHECK-NEXT:    %a = array.exp %w : tensor<3xf64>
// CHECK-NEXT:    %0 = array.broadcast %a dims [1] : tensor<3xf64> -> tensor<8x3xf64>
// CHECK-NEXT:    func.return %0

// -----

// The batch of one operand of a product is a free dimension.

func.func @one_sided(%x: tensor<4xf64>, %w: tensor<4x5xf64>) -> tensor<5xf64> {
  %a = array.dot_general %x, %w batch [] x [] contract [0] x [0] : tensor<4xf64>, tensor<4x5xf64> -> tensor<5xf64>
  func.return %a : tensor<5xf64>
}

// CHECK-LABEL: func.func @one_sided
// CHECK-SAME:    (%x: tensor<8x4xf64>, %w: tensor<4x5xf64>) -> tensor<8x5xf64>
// CHECK-NEXT:    %a = array.dot_general %x, %w batch [] x [] contract [1] x [0] : tensor<8x4xf64>, tensor<4x5xf64> -> tensor<8x5xf64>
// CHECK-NEXT:    func.return %a

// -----

// The batch of both is a batch dimension.

func.func @two_sided(%x: tensor<4xf64>, %w: tensor<4x5xf64>) -> tensor<5xf64> {
  %z = array.broadcast %x dims [0] : tensor<4xf64> -> tensor<4x5xf64>
  %a = array.dot_general %x, %z batch [] x [] contract [0] x [0] : tensor<4xf64>, tensor<4x5xf64> -> tensor<5xf64>
  func.return %a : tensor<5xf64>
}

// CHECK-LABEL: func.func @two_sided
// CHECK-SAME:    (%x: tensor<8x4xf64>, %w: tensor<4x5xf64>) -> tensor<8x5xf64>
// CHECK-NEXT:    %z = array.broadcast %x dims [0, 1] : tensor<8x4xf64> -> tensor<8x4x5xf64>
// CHECK-NEXT:    %a = array.dot_general %x, %z batch [0] x [0] contract [1] x [1] : tensor<8x4xf64>, tensor<8x4x5xf64> -> tensor<8x5xf64>
// CHECK-NEXT:    func.return %a

// -----

// The same dimensions of each example are cut, moved and reduced.

func.func @shapes(%x: tensor<4x6xf64>, %v: tensor<f64>) -> tensor<3xf64> {
  %a = array.slice %x starts [1, 0] limits [3, 6] strides [1, 2] : tensor<4x6xf64> -> tensor<2x3xf64>
  %b = array.transpose %a permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
  %c = array.pad %b, %v low [0, 1] high [0, -1] interior [0, 0] : tensor<3x2xf64>, tensor<f64> -> tensor<3x2xf64>
  %d = array.reverse %c dims [1] : tensor<3x2xf64>
  %e = array.concatenate %d, %b dim 1 : tensor<3x2xf64>, tensor<3x2xf64> -> tensor<3x4xf64>
  %f = array.cumulative add %e dim 0 : tensor<3x4xf64>
  %g = array.reduce max %f dims [1] : tensor<3x4xf64> -> tensor<3xf64>
  func.return %g : tensor<3xf64>
}

// CHECK-LABEL: func.func @shapes
// CHECK-SAME:    (%x: tensor<8x4x6xf64>, %v: tensor<f64>) -> tensor<8x3xf64>
// CHECK-NEXT:    %a = array.slice %x starts [0, 1, 0] limits [8, 3, 6] strides [1, 1, 2] : tensor<8x4x6xf64> -> tensor<8x2x3xf64>
// CHECK-NEXT:    %b = array.transpose %a permutation [0, 2, 1] : tensor<8x2x3xf64> -> tensor<8x3x2xf64>
// CHECK-NEXT:    %c = array.pad %b, %v low [0, 0, 1] high [0, 0, -1] interior [0, 0, 0] : tensor<8x3x2xf64>, tensor<f64> -> tensor<8x3x2xf64>
// CHECK-NEXT:    %d = array.reverse %c dims [2] : tensor<8x3x2xf64>
// CHECK-NEXT:    %e = array.concatenate %d, %b dim 2 : tensor<8x3x2xf64>, tensor<8x3x2xf64> -> tensor<8x3x4xf64>
// CHECK-NEXT:    %f = array.cumulative add %e dim 1 : tensor<8x3x4xf64>
// CHECK-NEXT:    %g = array.reduce max %f dims [2] : tensor<8x3x4xf64> -> tensor<8x3xf64>
// CHECK-NEXT:    func.return %g

// -----

// Calls are opened.

func.func private @square(%x: tensor<f64>) -> tensor<f64> {
  %y = array.mul %x, %x : tensor<f64>
  func.return %y : tensor<f64>
}

func.func @calls(%x: tensor<f64>, %unused: tensor<f64>) -> tensor<f64> {
  %y = func.call @square(%x) : (tensor<f64>) -> tensor<f64>
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @calls
// CHECK-SAME:    (%x: tensor<8xf64>, %unused: tensor<f64>) -> tensor<8xf64>
// CHECK-NEXT:    %y = array.mul %x, %x : tensor<8xf64>
// CHECK-NEXT:    func.return %y
