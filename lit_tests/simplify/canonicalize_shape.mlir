// RUN: gradatim-opt %s -p array-canonicalize | filecheck %s

// Ops that give their operand back.

func.func @nothing(%x: tensor<2x3xf64>, %v: tensor<f64>) -> (tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>) {
  %a = array.reshape %x : tensor<2x3xf64> -> tensor<2x3xf64>
  %b = array.transpose %x permutation [0, 1] : tensor<2x3xf64> -> tensor<2x3xf64>
  %c = array.broadcast %x dims [0, 1] : tensor<2x3xf64> -> tensor<2x3xf64>
  %d = array.slice %x starts [0, 0] limits [2, 3] strides [1, 1] : tensor<2x3xf64> -> tensor<2x3xf64>
  %e = array.pad %x, %v low [0, 0] high [0, 0] interior [0, 0] : tensor<2x3xf64>, tensor<f64> -> tensor<2x3xf64>
  %f = array.reverse %x dims [] : tensor<2x3xf64>
  %g = array.concatenate %x dim 0 : tensor<2x3xf64> -> tensor<2x3xf64>
  func.return %a, %b, %c, %d, %e, %f, %g : tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>, tensor<2x3xf64>
}

// CHECK-LABEL: func.func @nothing
// CHECK-NEXT:    func.return %x, %x, %x, %x, %x, %x, %x

func.func @twice(%x: tensor<2x3x4xf64>, %v: tensor<3xf64>) -> (tensor<2x3x4xf64>, tensor<3x4x2xf64>, tensor<24xf64>, tensor<2x5x3xf64>, tensor<2x3x4xf64>, tensor<2x3x4xf64>) {
  %0 = array.transpose %x permutation [1, 2, 0] : tensor<2x3x4xf64> -> tensor<3x4x2xf64>
  %a = array.transpose %0 permutation [2, 0, 1] : tensor<3x4x2xf64> -> tensor<2x3x4xf64>
  %1 = array.transpose %x permutation [2, 1, 0] : tensor<2x3x4xf64> -> tensor<4x3x2xf64>
  %b = array.transpose %1 permutation [1, 0, 2] : tensor<4x3x2xf64> -> tensor<3x4x2xf64>
  %2 = array.reshape %x : tensor<2x3x4xf64> -> tensor<6x4xf64>
  %c = array.reshape %2 : tensor<6x4xf64> -> tensor<24xf64>
  %3 = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<2x3xf64>
  %d = array.broadcast %3 dims [0, 2] : tensor<2x3xf64> -> tensor<2x5x3xf64>
  %4 = array.reverse %x dims [0, 2] : tensor<2x3x4xf64>
  %e = array.reverse %4 dims [2, 1] : tensor<2x3x4xf64>
  %f = array.reverse %4 dims [2, 0] : tensor<2x3x4xf64>
  func.return %a, %b, %c, %d, %e, %f : tensor<2x3x4xf64>, tensor<3x4x2xf64>, tensor<24xf64>, tensor<2x5x3xf64>, tensor<2x3x4xf64>, tensor<2x3x4xf64>
}

// CHECK-LABEL: func.func @twice
// CHECK-NEXT:    %b = array.transpose %x permutation [1, 2, 0] : tensor<2x3x4xf64> -> tensor<3x4x2xf64>
// CHECK-NEXT:    %c = array.reshape %x : tensor<2x3x4xf64> -> tensor<24xf64>
// CHECK-NEXT:    %d = array.broadcast %v dims [2] : tensor<3xf64> -> tensor<2x5x3xf64>
// CHECK-NEXT:    %e = array.reverse %x dims [0, 1] : tensor<2x3x4xf64>
// CHECK-NEXT:    func.return %x, %b, %c, %d, %e, %x

// Dimensions of size 1 come and go by reshapes; among repeated elements they come with them.

func.func @ones(%x: tensor<2x1x3xf64>, %v: tensor<3xf64>, %w: tensor<1xf64>) -> (tensor<3x2x1xf64>, tensor<1x2x3xf64>, tensor<3x1xf64>, tensor<2x3x1xf64>, tensor<3x4xf64>, tensor<2x3xf64>, tensor<2x1x3xf64>) {
  %a = array.transpose %x permutation [2, 0, 1] : tensor<2x1x3xf64> -> tensor<3x2x1xf64>
  %b = array.transpose %x permutation [1, 0, 2] : tensor<2x1x3xf64> -> tensor<1x2x3xf64>
  %c = array.broadcast %v dims [0] : tensor<3xf64> -> tensor<3x1xf64>
  %0 = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<2x3xf64>
  %d = array.reshape %0 : tensor<2x3xf64> -> tensor<2x3x1xf64>
  %1 = array.reshape %v : tensor<3xf64> -> tensor<3x1xf64>
  %2 = array.reshape %1 : tensor<3x1xf64> -> tensor<3xf64>
  %e = array.broadcast %2 dims [0] : tensor<3xf64> -> tensor<3x4xf64>
  %3 = array.broadcast %w dims [1] : tensor<1xf64> -> tensor<6x1xf64>
  %f = array.reshape %3 : tensor<6x1xf64> -> tensor<2x3xf64>
  %g = array.reverse %x dims [1, 2] : tensor<2x1x3xf64>
  func.return %a, %b, %c, %d, %e, %f, %g : tensor<3x2x1xf64>, tensor<1x2x3xf64>, tensor<3x1xf64>, tensor<2x3x1xf64>, tensor<3x4xf64>, tensor<2x3xf64>, tensor<2x1x3xf64>
}

// CHECK-LABEL: func.func @ones
// CHECK-NEXT:    %a = array.transpose %x permutation [2, 0, 1] : tensor<2x1x3xf64> -> tensor<3x2x1xf64>
// CHECK-NEXT:    %b = array.reshape %x : tensor<2x1x3xf64> -> tensor<1x2x3xf64>
// CHECK-NEXT:    %c = array.reshape %v : tensor<3xf64> -> tensor<3x1xf64>
// CHECK-NEXT:    %d = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<2x3x1xf64>
// CHECK-NEXT:    %e = array.broadcast %v dims [0] : tensor<3xf64> -> tensor<3x4xf64>
// CHECK-NEXT:    %0 = array.reshape %w : tensor<1xf64> -> tensor<f64>
// CHECK-NEXT:    %f = array.broadcast %0 dims [] : tensor<f64> -> tensor<2x3xf64>
// CHECK-NEXT:    %g = array.reverse %x dims [2] : tensor<2x1x3xf64>
// CHECK-NEXT:    func.return %a, %b, %c, %d, %e, %f, %g

// A reshape that splits or joins repeated dimensions stays.

func.func @reshaped_repeats_stay(%v: tensor<3xf64>) -> tensor<6xf64> {
  %a = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<2x3xf64>
  %b = array.reshape %a : tensor<2x3xf64> -> tensor<6xf64>
  func.return %b : tensor<6xf64>
}

// CHECK-LABEL: func.func @reshaped_repeats_stay
// CHECK-NEXT:    %a = array.broadcast %v dims [1] : tensor<3xf64> -> tensor<2x3xf64>
// CHECK-NEXT:    %b = array.reshape %a : tensor<2x3xf64> -> tensor<6xf64>
// CHECK-NEXT:    func.return %b

// Elements move before they are repeated.

func.func @repeated(%x: tensor<2x3xf64>) -> (tensor<3x5x2xf64>, tensor<5x1x2xf64>, tensor<5x2x3xf64>) {
  %a = array.broadcast %x dims [1, 2] : tensor<2x3xf64> -> tensor<5x2x3xf64>
  %b = array.transpose %a permutation [2, 0, 1] : tensor<5x2x3xf64> -> tensor<3x5x2xf64>
  %c = array.slice %b starts [1, 0, 0] limits [2, 5, 2] strides [1, 1, 1] : tensor<3x5x2xf64> -> tensor<1x5x2xf64>
  %d = array.reshape %c : tensor<1x5x2xf64> -> tensor<5x1x2xf64>
  %e = array.reverse %a dims [0, 2] : tensor<5x2x3xf64>
  func.return %b, %d, %e : tensor<3x5x2xf64>, tensor<5x1x2xf64>, tensor<5x2x3xf64>
}

// CHECK-LABEL: func.func @repeated
// CHECK-NEXT:    %0 = array.transpose %x permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
// CHECK-NEXT:    %b = array.broadcast %0 dims [0, 2] : tensor<3x2xf64> -> tensor<3x5x2xf64>
// CHECK-NEXT:    %1 = array.slice %0 starts [1, 0] limits [2, 2] strides [1, 1] : tensor<3x2xf64> -> tensor<1x2xf64>
// CHECK-NEXT:    %2 = array.reshape %1 : tensor<1x2xf64> -> tensor<2xf64>
// CHECK-NEXT:    %d = array.broadcast %2 dims [2] : tensor<2xf64> -> tensor<5x1x2xf64>
// CHECK-NEXT:    %3 = array.reverse %x dims [1] : tensor<2x3xf64>
// CHECK-NEXT:    %e = array.broadcast %3 dims [1, 2] : tensor<2x3xf64> -> tensor<5x2x3xf64>
// CHECK-NEXT:    func.return %b, %d, %e

func.func @counted() -> (tensor<3x2xi64>, tensor<2x3x4xi64>, tensor<2x2xi64>, tensor<1x3xi64>, tensor<2x2xi64>) {
  %i = array.iota dim 1 : tensor<2x3xi64>
  %a = array.transpose %i permutation [1, 0] : tensor<2x3xi64> -> tensor<3x2xi64>
  %b = array.broadcast %i dims [0, 1] : tensor<2x3xi64> -> tensor<2x3x4xi64>
  %c = array.slice %i starts [0, 0] limits [2, 2] strides [1, 1] : tensor<2x3xi64> -> tensor<2x2xi64>
  %d = array.iota dim 0 : tensor<1x3xi64>
  %e = array.slice %i starts [0, 1] limits [2, 3] strides [1, 1] : tensor<2x3xi64> -> tensor<2x2xi64>
  func.return %a, %b, %c, %d, %e : tensor<3x2xi64>, tensor<2x3x4xi64>, tensor<2x2xi64>, tensor<1x3xi64>, tensor<2x2xi64>
}

// CHECK-LABEL: func.func @counted
// CHECK-NEXT:    %i = array.iota dim 1 : tensor<2x3xi64>
// CHECK-NEXT:    %a = array.iota dim 0 : tensor<3x2xi64>
// CHECK-NEXT:    %b = array.iota dim 1 : tensor<2x3x4xi64>
// CHECK-NEXT:    %c = array.iota dim 1 : tensor<2x2xi64>
// CHECK-NEXT:    %d = array.constant dense<0> : tensor<1x3xi64>
// CHECK-NEXT:    %e = array.slice %i starts [0, 1] limits [2, 3] strides [1, 1] : tensor<2x3xi64> -> tensor<2x2xi64>
// CHECK-NEXT:    func.return %a, %b, %c, %d, %e

func.func @slices(%x: tensor<20xf64>, %y: tensor<3xf64>) -> (tensor<3xf64>, tensor<1xf64>, tensor<2xf64>, tensor<4xf64>) {
  %0 = array.slice %x starts [2] limits [20] strides [3] : tensor<20xf64> -> tensor<6xf64>
  %a = array.slice %0 starts [1] limits [6] strides [2] : tensor<6xf64> -> tensor<3xf64>
  %b = array.slice %x starts [4] limits [7] strides [5] : tensor<20xf64> -> tensor<1xf64>
  %1 = array.concatenate %y, %x, %y dim 0 : tensor<3xf64>, tensor<20xf64>, tensor<3xf64> -> tensor<26xf64>
  %c = array.slice %1 starts [4] limits [6] strides [1] : tensor<26xf64> -> tensor<2xf64>
  %d = array.slice %1 starts [1] limits [5] strides [1] : tensor<26xf64> -> tensor<4xf64>
  func.return %a, %b, %c, %d : tensor<3xf64>, tensor<1xf64>, tensor<2xf64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @slices
// CHECK-NEXT:    %a = array.slice %x starts [5] limits [18] strides [6] : tensor<20xf64> -> tensor<3xf64>
// CHECK-NEXT:    %b = array.slice %x starts [4] limits [5] strides [1] : tensor<20xf64> -> tensor<1xf64>
// CHECK-NEXT:    %c = array.slice %x starts [1] limits [3] strides [1] : tensor<20xf64> -> tensor<2xf64>
// CHECK-NEXT:    %0 = array.concatenate %y, %x dim 0 : tensor<3xf64>, tensor<20xf64> -> tensor<23xf64>
// CHECK-NEXT:    %d = array.slice %0 starts [1] limits [5] strides [1] : tensor<23xf64> -> tensor<4xf64>
// CHECK-NEXT:    func.return %a, %b, %c, %d

func.func @pads(%x: tensor<4xf64>, %v: tensor<f64>, %w: tensor<f64>, %n: tensor<0xf64>) -> (tensor<2xf64>, tensor<2xf64>, tensor<9xf64>, tensor<9xf64>, tensor<2xf64>, tensor<3xf64>, tensor<3xf64>) {
  %p = array.pad %x, %v low [2] high [3] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<9xf64>
  %a = array.slice %p starts [3] limits [5] strides [1] : tensor<9xf64> -> tensor<2xf64>
  %b = array.slice %p starts [0] limits [2] strides [1] : tensor<9xf64> -> tensor<2xf64>
  %q = array.pad %x, %v low [1] high [1] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<6xf64>
  %c = array.pad %q, %v low [1] high [2] interior [0] : tensor<6xf64>, tensor<f64> -> tensor<9xf64>
  %d = array.pad %q, %w low [1] high [2] interior [0] : tensor<6xf64>, tensor<f64> -> tensor<9xf64>
  %e = array.pad %x, %v low [-2] high [0] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<2xf64>
  %f = array.pad %n, %v low [3] high [0] interior [0] : tensor<0xf64>, tensor<f64> -> tensor<3xf64>
  %g = array.slice %p starts [1] limits [4] strides [1] : tensor<9xf64> -> tensor<3xf64>
  func.return %a, %b, %c, %d, %e, %f, %g : tensor<2xf64>, tensor<2xf64>, tensor<9xf64>, tensor<9xf64>, tensor<2xf64>, tensor<3xf64>, tensor<3xf64>
}

// CHECK-LABEL: func.func @pads
// CHECK-NEXT:    %p = array.pad %x, %v low [2] high [3] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<9xf64>
// CHECK-NEXT:    %a = array.slice %x starts [1] limits [3] strides [1] : tensor<4xf64> -> tensor<2xf64>
// CHECK-NEXT:    %b = array.broadcast %v dims [] : tensor<f64> -> tensor<2xf64>
// CHECK-NEXT:    %q = array.pad %x, %v low [1] high [1] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<6xf64>
// CHECK-NEXT:    %d = array.pad %q, %w low [1] high [2] interior [0] : tensor<6xf64>, tensor<f64> -> tensor<9xf64>
// CHECK-NEXT:    %e = array.slice %x starts [2] limits [4] strides [1] : tensor<4xf64> -> tensor<2xf64>
// CHECK-NEXT:    %f = array.broadcast %v dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:    %g = array.slice %p starts [1] limits [4] strides [1] : tensor<9xf64> -> tensor<3xf64>
// CHECK-NEXT:    func.return %a, %b, %p, %d, %e, %f, %g

func.func @joined(%x: tensor<6x2xf64>, %y: tensor<1x2xf64>, %n: tensor<0x2xf64>) -> (tensor<6x2xf64>, tensor<8x2xf64>, tensor<1x2xf64>, tensor<4x2xf64>) {
  %l = array.slice %x starts [0, 0] limits [4, 2] strides [1, 1] : tensor<6x2xf64> -> tensor<4x2xf64>
  %r = array.slice %x starts [4, 0] limits [6, 2] strides [1, 1] : tensor<6x2xf64> -> tensor<2x2xf64>
  %a = array.concatenate %l, %r dim 0 : tensor<4x2xf64>, tensor<2x2xf64> -> tensor<6x2xf64>
  %0 = array.concatenate %y, %x dim 0 : tensor<1x2xf64>, tensor<6x2xf64> -> tensor<7x2xf64>
  %b = array.concatenate %n, %0, %y dim 0 : tensor<0x2xf64>, tensor<7x2xf64>, tensor<1x2xf64> -> tensor<8x2xf64>
  %c = array.concatenate %n, %y dim 0 : tensor<0x2xf64>, tensor<1x2xf64> -> tensor<1x2xf64>
  %d = array.concatenate %r, %r dim 0 : tensor<2x2xf64>, tensor<2x2xf64> -> tensor<4x2xf64>
  func.return %a, %b, %c, %d : tensor<6x2xf64>, tensor<8x2xf64>, tensor<1x2xf64>, tensor<4x2xf64>
}

// CHECK-LABEL: func.func @joined
// CHECK-NEXT:    %r = array.slice %x starts [4, 0] limits [6, 2] strides [1, 1] : tensor<6x2xf64> -> tensor<2x2xf64>
// CHECK-NEXT:    %b = array.concatenate %y, %x, %y dim 0 : tensor<1x2xf64>, tensor<6x2xf64>, tensor<1x2xf64> -> tensor<8x2xf64>
// CHECK-NEXT:    %d = array.concatenate %r, %r dim 0 : tensor<2x2xf64>, tensor<2x2xf64> -> tensor<4x2xf64>
// CHECK-NEXT:    func.return %x, %b, %y, %d
