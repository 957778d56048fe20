// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-dce' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p array-jvp --split-input-file | filecheck %s --check-prefix JVP

// Repeated elements gather their cotangents; forward mode applies the op itself.

func.func @broadcast(%x: tensor<3xf64>) -> tensor<2x3x4xf64> {
  %y = array.broadcast %x dims [1] : tensor<3xf64> -> tensor<2x3x4xf64>
  func.return %y : tensor<2x3x4xf64>
}

// VJP-LABEL: func.func @broadcast(%x: tensor<3xf64>, %cotangent: tensor<2x3x4xf64>) -> tensor<3xf64>
// VJP-NEXT:    %0 = array.reduce add %cotangent dims [0, 2] : tensor<2x3x4xf64> -> tensor<3xf64>
// VJP-NEXT:    func.return %0 : tensor<3xf64>

// JVP-LABEL: func.func @broadcast(%x: tensor<3xf64>, %x_tangent: tensor<3xf64>) -> (tensor<2x3x4xf64>, tensor<2x3x4xf64>)
// JVP-NEXT:    %y = array.broadcast %x dims [1] : tensor<3xf64> -> tensor<2x3x4xf64>
// JVP-NEXT:    %0 = array.broadcast %x_tangent dims [1] : tensor<3xf64> -> tensor<2x3x4xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<2x3x4xf64>, tensor<2x3x4xf64>

// -----

func.func @reshape(%x: tensor<2x6xf64>) -> tensor<3x4xf64> {
  %y = array.reshape %x : tensor<2x6xf64> -> tensor<3x4xf64>
  func.return %y : tensor<3x4xf64>
}

// VJP-LABEL: func.func @reshape(%x: tensor<2x6xf64>, %cotangent: tensor<3x4xf64>) -> tensor<2x6xf64>
// VJP-NEXT:    %0 = array.reshape %cotangent : tensor<3x4xf64> -> tensor<2x6xf64>
// VJP-NEXT:    func.return %0 : tensor<2x6xf64>

// JVP-LABEL: func.func @reshape(%x: tensor<2x6xf64>, %x_tangent: tensor<2x6xf64>) -> (tensor<3x4xf64>, tensor<3x4xf64>)
// JVP-NEXT:    %y = array.reshape %x : tensor<2x6xf64> -> tensor<3x4xf64>
// JVP-NEXT:    %0 = array.reshape %x_tangent : tensor<2x6xf64> -> tensor<3x4xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<3x4xf64>, tensor<3x4xf64>

// -----

// The inverse permutation.

func.func @transpose(%x: tensor<2x3x4xf64>) -> tensor<4x2x3xf64> {
  %y = array.transpose %x permutation [2, 0, 1] : tensor<2x3x4xf64> -> tensor<4x2x3xf64>
  func.return %y : tensor<4x2x3xf64>
}

// VJP-LABEL: func.func @transpose(%x: tensor<2x3x4xf64>, %cotangent: tensor<4x2x3xf64>) -> tensor<2x3x4xf64>
// VJP-NEXT:    %0 = array.transpose %cotangent permutation [1, 2, 0] : tensor<4x2x3xf64> -> tensor<2x3x4xf64>
// VJP-NEXT:    func.return %0 : tensor<2x3x4xf64>

// JVP-LABEL: func.func @transpose(%x: tensor<2x3x4xf64>, %x_tangent: tensor<2x3x4xf64>) -> (tensor<4x2x3xf64>, tensor<4x2x3xf64>)
// JVP-NEXT:    %y = array.transpose %x permutation [2, 0, 1] : tensor<2x3x4xf64> -> tensor<4x2x3xf64>
// JVP-NEXT:    %0 = array.transpose %x_tangent permutation [2, 0, 1] : tensor<2x3x4xf64> -> tensor<4x2x3xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<4x2x3xf64>, tensor<4x2x3xf64>

// -----

// A strided slice is put back between zeros.

func.func @slice(%x: tensor<10xf64>) -> tensor<3xf64> {
  %y = array.slice %x starts [1] limits [9] strides [3] : tensor<10xf64> -> tensor<3xf64>
  func.return %y : tensor<3xf64>
}

// VJP-LABEL: func.func @slice(%x: tensor<10xf64>, %cotangent: tensor<3xf64>) -> tensor<10xf64>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %1 = array.pad %cotangent, %0 low [1] high [2] interior [2] : tensor<3xf64>, tensor<f64> -> tensor<10xf64>
// VJP-NEXT:    func.return %1 : tensor<10xf64>

// JVP-LABEL: func.func @slice(%x: tensor<10xf64>, %x_tangent: tensor<10xf64>) -> (tensor<3xf64>, tensor<3xf64>)
// JVP-NEXT:    %y = array.slice %x starts [1] limits [9] strides [3] : tensor<10xf64> -> tensor<3xf64>
// JVP-NEXT:    %0 = array.slice %x_tangent starts [1] limits [9] strides [3] : tensor<10xf64> -> tensor<3xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<3xf64>, tensor<3xf64>

// -----

func.func @pad(%x: tensor<3xf64>, %v: tensor<f64>) -> tensor<9xf64> {
  %y = array.pad %x, %v low [1] high [3] interior [1] : tensor<3xf64>, tensor<f64> -> tensor<9xf64>
  func.return %y : tensor<9xf64>
}

// VJP-LABEL: func.func @pad(%x: tensor<3xf64>, %v: tensor<f64>, %cotangent: tensor<9xf64>) -> tensor<3xf64>
// VJP-NEXT:    %0 = array.slice %cotangent starts [1] limits [6] strides [2] : tensor<9xf64> -> tensor<3xf64>
// VJP-NEXT:    func.return %0 : tensor<3xf64>

// JVP-LABEL: func.func @pad(%x: tensor<3xf64>, %v: tensor<f64>, %x_tangent: tensor<3xf64>) -> (tensor<9xf64>, tensor<9xf64>)
// JVP-NEXT:    %y = array.pad %x, %v low [1] high [3] interior [1] : tensor<3xf64>, tensor<f64> -> tensor<9xf64>
// JVP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f64>
// JVP-NEXT:    %1 = array.pad %x_tangent, %0 low [1] high [3] interior [1] : tensor<3xf64>, tensor<f64> -> tensor<9xf64>
// JVP-NEXT:    func.return %y, %1 : tensor<9xf64>, tensor<9xf64>

// -----

// Zeros come back for what a negative edge had cut off.

func.func @pad_negative(%x: tensor<5xf64>, %v: tensor<f64>) -> tensor<4xf64> {
  %y = array.pad %x, %v low [-2] high [1] interior [0] : tensor<5xf64>, tensor<f64> -> tensor<4xf64>
  func.return %y : tensor<4xf64>
}

// VJP-LABEL: func.func @pad_negative(%x: tensor<5xf64>, %v: tensor<f64>, %cotangent: tensor<4xf64>) -> tensor<5xf64>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:    %1 = array.pad %cotangent, %0 low [2] high [-1] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<5xf64>
// VJP-NEXT:    func.return %1 : tensor<5xf64>

// JVP-LABEL: func.func @pad_negative(%x: tensor<5xf64>, %v: tensor<f64>, %x_tangent: tensor<5xf64>) -> (tensor<4xf64>, tensor<4xf64>)
// JVP-NEXT:    %y = array.pad %x, %v low [-2] high [1] interior [0] : tensor<5xf64>, tensor<f64> -> tensor<4xf64>
// JVP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f64>
// JVP-NEXT:    %1 = array.pad %x_tangent, %0 low [-2] high [1] interior [0] : tensor<5xf64>, tensor<f64> -> tensor<4xf64>
// JVP-NEXT:    func.return %y, %1 : tensor<4xf64>, tensor<4xf64>

// -----

// The padding value gets the sum over the places it fills.

func.func @pad_value(%v: tensor<f64>, %x: tensor<3xf64>) -> tensor<5xf64> {
  %y = array.pad %x, %v low [1] high [1] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<5xf64>
  func.return %y : tensor<5xf64>
}

// VJP-LABEL: func.func @pad_value(%v: tensor<f64>, %x: tensor<3xf64>, %cotangent: tensor<5xf64>) -> tensor<f64>
// VJP-NEXT:    %0 = array.constant dense<false> : tensor<3xi1>
// VJP-NEXT:    %1 = array.constant dense<true> : tensor<i1>
// VJP-NEXT:    %2 = array.pad %0, %1 low [1] high [1] interior [0] : tensor<3xi1>, tensor<i1> -> tensor<5xi1>
// VJP-NEXT:    %3 = array.constant dense<0.000000e+00> : tensor<5xf64>
// VJP-NEXT:    %4 = array.select %2, %cotangent, %3 : tensor<5xi1>, tensor<5xf64>
// VJP-NEXT:    %5 = array.reduce add %4 dims [0] : tensor<5xf64> -> tensor<f64>
// VJP-NEXT:    func.return %5 : tensor<f64>

// JVP-LABEL: func.func @pad_value(%v: tensor<f64>, %x: tensor<3xf64>, %v_tangent: tensor<f64>) -> (tensor<5xf64>, tensor<5xf64>)
// JVP-NEXT:    %y = array.pad %x, %v low [1] high [1] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<5xf64>
// JVP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<3xf64>
// JVP-NEXT:    %1 = array.pad %0, %v_tangent low [1] high [1] interior [0] : tensor<3xf64>, tensor<f64> -> tensor<5xf64>
// JVP-NEXT:    func.return %y, %1 : tensor<5xf64>, tensor<5xf64>

// -----

// Only the operand that varies gets a cotangent.

func.func @concatenate(%x: tensor<2xf64>, %c: tensor<3xf64>) -> tensor<5xf64> {
  %y = array.concatenate %c, %x dim 0 : tensor<3xf64>, tensor<2xf64> -> tensor<5xf64>
  func.return %y : tensor<5xf64>
}

// VJP-LABEL: func.func @concatenate(%x: tensor<2xf64>, %c: tensor<3xf64>, %cotangent: tensor<5xf64>) -> tensor<2xf64>
// VJP-NEXT:    %0 = array.slice %cotangent starts [3] limits [5] strides [1] : tensor<5xf64> -> tensor<2xf64>
// VJP-NEXT:    func.return %0 : tensor<2xf64>

// JVP-LABEL: func.func @concatenate(%x: tensor<2xf64>, %c: tensor<3xf64>, %x_tangent: tensor<2xf64>) -> (tensor<5xf64>, tensor<5xf64>)
// JVP-NEXT:    %y = array.concatenate %c, %x dim 0 : tensor<3xf64>, tensor<2xf64> -> tensor<5xf64>
// JVP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<3xf64>
// JVP-NEXT:    %1 = array.concatenate %0, %x_tangent dim 0 : tensor<3xf64>, tensor<2xf64> -> tensor<5xf64>
// JVP-NEXT:    func.return %y, %1 : tensor<5xf64>, tensor<5xf64>

// -----

func.func @reverse(%x: tensor<2x3xf64>) -> tensor<2x3xf64> {
  %y = array.reverse %x dims [1] : tensor<2x3xf64>
  func.return %y : tensor<2x3xf64>
}

// VJP-LABEL: func.func @reverse(%x: tensor<2x3xf64>, %cotangent: tensor<2x3xf64>) -> tensor<2x3xf64>
// VJP-NEXT:    %0 = array.reverse %cotangent dims [1] : tensor<2x3xf64>
// VJP-NEXT:    func.return %0 : tensor<2x3xf64>

// JVP-LABEL: func.func @reverse(%x: tensor<2x3xf64>, %x_tangent: tensor<2x3xf64>) -> (tensor<2x3xf64>, tensor<2x3xf64>)
// JVP-NEXT:    %y = array.reverse %x dims [1] : tensor<2x3xf64>
// JVP-NEXT:    %0 = array.reverse %x_tangent dims [1] : tensor<2x3xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<2x3xf64>, tensor<2x3xf64>
