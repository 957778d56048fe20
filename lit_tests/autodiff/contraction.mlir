// RUN: gradatim-opt %s -p 'array-vjp{argnums=0,1 value=false},array-dce' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p 'array-jvp{argnums=0,1}' --split-input-file | filecheck %s --check-prefix JVP

// The gradients of a matrix product are two, with no transpose.

func.func @matmul(%x: tensor<2x3xf64>, %y: tensor<3x4xf64>) -> tensor<2x4xf64> {
  %z = array.dot_general %x, %y batch [] x [] contract [1] x [0] : tensor<2x3xf64>, tensor<3x4xf64> -> tensor<2x4xf64>
  func.return %z : tensor<2x4xf64>
}

// VJP-LABEL: func.func @matmul(%x: tensor<2x3xf64>, %y: tensor<3x4xf64>, %cotangent: tensor<2x4xf64>) -> (tensor<2x3xf64>, tensor<3x4xf64>)
// VJP-NEXT:    %0 = array.dot_general %cotangent, %y batch [] x [] contract [1] x [1] : tensor<2x4xf64>, tensor<3x4xf64> -> tensor<2x3xf64>
// VJP-NEXT:    %1 = array.dot_general %x, %cotangent batch [] x [] contract [0] x [0] : tensor<2x3xf64>, tensor<2x4xf64> -> tensor<3x4xf64>
// VJP-NEXT:    func.return %0, %1 : tensor<2x3xf64>, tensor<3x4xf64>

// JVP-LABEL: func.func @matmul(%x: tensor<2x3xf64>, %y: tensor<3x4xf64>, %x_tangent: tensor<2x3xf64>, %y_tangent: tensor<3x4xf64>) -> (tensor<2x4xf64>, tensor<2x4xf64>)
// JVP-NEXT:    %z = array.dot_general %x, %y batch [] x [] contract [1] x [0] : tensor<2x3xf64>, tensor<3x4xf64> -> tensor<2x4xf64>
// JVP-NEXT:    %0 = array.dot_general %x_tangent, %y batch [] x [] contract [1] x [0] : tensor<2x3xf64>, tensor<3x4xf64> -> tensor<2x4xf64>
// JVP-NEXT:    %1 = array.dot_general %x, %y_tangent batch [] x [] contract [1] x [0] : tensor<2x3xf64>, tensor<3x4xf64> -> tensor<2x4xf64>
// JVP-NEXT:    %2 = array.add %0, %1 : tensor<2x4xf64>
// JVP-NEXT:    func.return %z, %2 : tensor<2x4xf64>, tensor<2x4xf64>

// -----

// Dimensions return to their places.

func.func @batched(%x: tensor<3x2x4xf64>, %y: tensor<4x5x2xf64>) -> tensor<2x3x5xf64> {
  %z = array.dot_general %x, %y batch [1] x [2] contract [2] x [0] : tensor<3x2x4xf64>, tensor<4x5x2xf64> -> tensor<2x3x5xf64>
  func.return %z : tensor<2x3x5xf64>
}

// VJP-LABEL: func.func @batched(%x: tensor<3x2x4xf64>, %y: tensor<4x5x2xf64>, %cotangent: tensor<2x3x5xf64>) -> (tensor<3x2x4xf64>, tensor<4x5x2xf64>)
// VJP-NEXT:    %0 = array.dot_general %cotangent, %y batch [0] x [2] contract [2] x [1] : tensor<2x3x5xf64>, tensor<4x5x2xf64> -> tensor<2x3x4xf64>
// VJP-NEXT:    %1 = array.transpose %0 permutation [1, 0, 2] : tensor<2x3x4xf64> -> tensor<3x2x4xf64>
// VJP-NEXT:    %2 = array.dot_general %x, %cotangent batch [1] x [0] contract [0] x [1] : tensor<3x2x4xf64>, tensor<2x3x5xf64> -> tensor<2x4x5xf64>
// VJP-NEXT:    %3 = array.transpose %2 permutation [1, 2, 0] : tensor<2x4x5xf64> -> tensor<4x5x2xf64>
// VJP-NEXT:    func.return %1, %3 : tensor<3x2x4xf64>, tensor<4x5x2xf64>

// JVP-LABEL: func.func @batched(%x: tensor<3x2x4xf64>, %y: tensor<4x5x2xf64>, %x_tangent: tensor<3x2x4xf64>, %y_tangent: tensor<4x5x2xf64>) -> (tensor<2x3x5xf64>, tensor<2x3x5xf64>)
// JVP-NEXT:    %z = array.dot_general %x, %y batch [1] x [2] contract [2] x [0] : tensor<3x2x4xf64>, tensor<4x5x2xf64> -> tensor<2x3x5xf64>
// JVP-NEXT:    %0 = array.dot_general %x_tangent, %y batch [1] x [2] contract [2] x [0] : tensor<3x2x4xf64>, tensor<4x5x2xf64> -> tensor<2x3x5xf64>
// JVP-NEXT:    %1 = array.dot_general %x, %y_tangent batch [1] x [2] contract [2] x [0] : tensor<3x2x4xf64>, tensor<4x5x2xf64> -> tensor<2x3x5xf64>
// JVP-NEXT:    %2 = array.add %0, %1 : tensor<2x3x5xf64>
// JVP-NEXT:    func.return %z, %2 : tensor<2x3x5xf64>, tensor<2x3x5xf64>

// -----

// The gradients of a convolution are convolutions.

func.func @convolution(%x: tensor<2x8x3xf64>, %w: tensor<3x3x5xf64>) -> tensor<2x4x5xf64> {
  %y = array.convolution %x, %w strides [2] low [1] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<2x8x3xf64>, tensor<3x3x5xf64> -> tensor<2x4x5xf64>
  func.return %y : tensor<2x4x5xf64>
}

// VJP-LABEL: func.func @convolution(%x: tensor<2x8x3xf64>, %w: tensor<3x3x5xf64>, %cotangent: tensor<2x4x5xf64>) -> (tensor<2x8x3xf64>, tensor<3x3x5xf64>)
// VJP-NEXT:    %0 = array.reverse %w dims [0] : tensor<3x3x5xf64>
// VJP-NEXT:    %1 = array.reshape %0 : tensor<3x3x5xf64> -> tensor<3x3x1x5xf64>
// VJP-NEXT:    %2 = array.transpose %1 permutation [0, 3, 2, 1] : tensor<3x3x1x5xf64> -> tensor<3x5x1x3xf64>
// VJP-NEXT:    %3 = array.reshape %2 : tensor<3x5x1x3xf64> -> tensor<3x5x3xf64>
// VJP-NEXT:    %4 = array.convolution %cotangent, %3 strides [1] low [1] high [2] lhs_dilation [2] rhs_dilation [1] groups 1 : tensor<2x4x5xf64>, tensor<3x5x3xf64> -> tensor<2x8x3xf64>
// VJP-NEXT:    %5 = array.reshape %x : tensor<2x8x3xf64> -> tensor<2x8x1x3xf64>
// VJP-NEXT:    %6 = array.transpose %5 permutation [3, 1, 2, 0] : tensor<2x8x1x3xf64> -> tensor<3x8x1x2xf64>
// VJP-NEXT:    %7 = array.reshape %6 : tensor<3x8x1x2xf64> -> tensor<3x8x2xf64>
// VJP-NEXT:    %8 = array.transpose %cotangent permutation [1, 0, 2] : tensor<2x4x5xf64> -> tensor<4x2x5xf64>
// VJP-NEXT:    %9 = array.convolution %7, %8 strides [1] low [1] high [0] lhs_dilation [1] rhs_dilation [2] groups 1 : tensor<3x8x2xf64>, tensor<4x2x5xf64> -> tensor<3x3x5xf64>
// VJP-NEXT:    %10 = array.transpose %9 permutation [1, 0, 2] : tensor<3x3x5xf64> -> tensor<3x3x5xf64>
// VJP-NEXT:    func.return %4, %10 : tensor<2x8x3xf64>, tensor<3x3x5xf64>

// JVP-LABEL: func.func @convolution(%x: tensor<2x8x3xf64>, %w: tensor<3x3x5xf64>, %x_tangent: tensor<2x8x3xf64>, %w_tangent: tensor<3x3x5xf64>) -> (tensor<2x4x5xf64>, tensor<2x4x5xf64>)
// JVP-NEXT:    %y = array.convolution %x, %w strides [2] low [1] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<2x8x3xf64>, tensor<3x3x5xf64> -> tensor<2x4x5xf64>
// JVP-NEXT:    %0 = array.convolution %x_tangent, %w strides [2] low [1] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<2x8x3xf64>, tensor<3x3x5xf64> -> tensor<2x4x5xf64>
// JVP-NEXT:    %1 = array.convolution %x, %w_tangent strides [2] low [1] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<2x8x3xf64>, tensor<3x3x5xf64> -> tensor<2x4x5xf64>
// JVP-NEXT:    %2 = array.add %0, %1 : tensor<2x4x5xf64>
// JVP-NEXT:    func.return %y, %2 : tensor<2x4x5xf64>, tensor<2x4x5xf64>
