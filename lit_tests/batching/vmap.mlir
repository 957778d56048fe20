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

// -----

// Windows have one element along the batch.

func.func @windows(%x: tensor<7xf64>, %w: tensor<3xf64>) -> tensor<3xf64> {
  %a = array.reduce_window max %x sizes [3] strides [2] dilations [1] low [0] high [0] : tensor<7xf64> -> tensor<3xf64>
  func.return %a : tensor<3xf64>
}

// CHECK-LABEL: func.func @windows
// CHECK-SAME:    (%x: tensor<8x7xf64>, %w: tensor<3xf64>) -> tensor<8x3xf64>
// CHECK-NEXT:    %a = array.reduce_window max %x sizes [1, 3] strides [1, 2] dilations [1, 1] low [0, 0] high [0, 0] : tensor<8x7xf64> -> tensor<8x3xf64>
// CHECK-NEXT:    func.return %a

// -----

// Examples of a convolution's input join its batch.

func.func @inputs(%x: tensor<2x5x4xf64>, %w: tensor<3x4x6xf64>) -> tensor<2x3x6xf64> {
  %a = array.convolution %x, %w strides [1] low [0] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<2x5x4xf64>, tensor<3x4x6xf64> -> tensor<2x3x6xf64>
  func.return %a : tensor<2x3x6xf64>
}

// CHECK-LABEL: func.func @inputs
// CHECK-NEXT:    %0 = array.reshape %x : tensor<8x2x5x4xf64> -> tensor<16x5x4xf64>
// CHECK-NEXT:    %1 = array.convolution %0, %w strides [1] low [0] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<16x5x4xf64>, tensor<3x4x6xf64> -> tensor<16x3x6xf64>
// CHECK-NEXT:    %a = array.reshape %1 : tensor<16x3x6xf64> -> tensor<8x2x3x6xf64>
// CHECK-NEXT:    func.return %a

// -----

// Those of its kernel join the features of each group.

func.func @kernels(%w: tensor<3x2x6xf64>, %x: tensor<2x5x4xf64>) -> tensor<2x3x6xf64> {
  %a = array.convolution %x, %w strides [1] low [0] high [0] lhs_dilation [1] rhs_dilation [1] groups 2 : tensor<2x5x4xf64>, tensor<3x2x6xf64> -> tensor<2x3x6xf64>
  func.return %a : tensor<2x3x6xf64>
}

// CHECK-LABEL: func.func @kernels
// CHECK:         array.convolution %x, %{{.*}} groups 2 : tensor<2x5x4xf64>, tensor<3x2x48xf64> -> tensor<2x3x48xf64>

// -----

// Where both differ, each example is a group.

func.func @both(%x: tensor<2x5x4xf64>, %w: tensor<f64>) -> tensor<2x3x6xf64> {
  %k = array.slice %x starts [0, 0, 0] limits [2, 3, 4] strides [1, 1, 1] : tensor<2x5x4xf64> -> tensor<2x3x4xf64>
  %t = array.reshape %k : tensor<2x3x4xf64> -> tensor<1x4x6xf64>
  %a = array.convolution %x, %t strides [2] low [0] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<2x5x4xf64>, tensor<1x4x6xf64> -> tensor<2x3x6xf64>
  func.return %a : tensor<2x3x6xf64>
}

// CHECK-LABEL: func.func @both
// CHECK:         array.convolution %{{.*}} groups 8 : tensor<2x5x32xf64>, tensor<1x4x48xf64> -> tensor<2x3x48xf64>
