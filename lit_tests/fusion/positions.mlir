// RUN: gradatim-opt %s -p array-fuse --split-input-file | filecheck %s

// What tells where, or what is outside, is one number for all elements: it may come from the same
// loops.

func.func @start(%x: tensor<20xf64>, %z: tensor<6xi64>) -> (tensor<1xf64>, tensor<6xf64>) {
  %k = array.reduce add %z dims [0] : tensor<6xi64> -> tensor<i64>
  %a = array.dynamic_slice %x[%k] : tensor<20xf64> -> tensor<1xf64>
  %b = array.dynamic_slice %x[%k] : tensor<20xf64> -> tensor<6xf64>
  %c = array.exp %b : tensor<6xf64>
  func.return %a, %c : tensor<1xf64>, tensor<6xf64>
}

// CHECK-LABEL: func.func @start(%x: tensor<20xf64>, %z: tensor<6xi64>) -> (tensor<1xf64>, tensor<6xf64>)
// CHECK-NEXT:    %a, %c = kernel.fusion ins(%z_1 = %z : tensor<6xi64>, %x_1 = %x : tensor<20xf64>) schedule<rows = [], vector = 4> {
// CHECK-NEXT:    %k = array.reduce add %z_1 dims [0] : tensor<6xi64> -> tensor<i64>
// CHECK-NEXT:    %a_1 = array.dynamic_slice %x_1[%k] : tensor<20xf64> -> tensor<1xf64>
// CHECK-NEXT:    %b = array.dynamic_slice %x_1[%k] : tensor<20xf64> -> tensor<6xf64>
// CHECK-NEXT:    %c_1 = array.exp %b : tensor<6xf64>
// CHECK-NEXT:    kernel.yield %a_1, %c_1 : tensor<1xf64>, tensor<6xf64>
// CHECK-NEXT:    } -> (tensor<1xf64>, tensor<6xf64>)
// CHECK-NEXT:    func.return %a, %c : tensor<1xf64>, tensor<6xf64>

// -----

func.func @padding(%x: tensor<4xf64>, %z: tensor<6xf64>) -> tensor<6xf64> {
  %k = array.reduce add %z dims [0] : tensor<6xf64> -> tensor<f64>
  %p = array.pad %x, %k low [1] high [1] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<6xf64>
  %e = array.exp %p : tensor<6xf64>
  func.return %e : tensor<6xf64>
}

// CHECK-LABEL: func.func @padding(%x: tensor<4xf64>, %z: tensor<6xf64>) -> tensor<6xf64>
// CHECK-NEXT:    %e = kernel.fusion ins(%z_1 = %z : tensor<6xf64>, %x_1 = %x : tensor<4xf64>) schedule<rows = [], vector = 4> {
// CHECK-NEXT:    %k = array.reduce add %z_1 dims [0] : tensor<6xf64> -> tensor<f64>
// CHECK-NEXT:    %p = array.pad %x_1, %k low [1] high [1] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<6xf64>
// CHECK-NEXT:    %e_1 = array.exp %p : tensor<6xf64>
// CHECK-NEXT:    kernel.yield %e_1 : tensor<6xf64>
// CHECK-NEXT:    } -> (tensor<6xf64>)
// CHECK-NEXT:    func.return %e : tensor<6xf64>

// -----

// What is not replaced lies as the result does.

func.func @window(%x: tensor<100x5xf64>, %u: tensor<80xf64>) -> (tensor<100xf64>, tensor<100xf64>) {
  %one = array.constant dense<1> : tensor<i64>
  %k = array.reduce add %x dims [1] : tensor<100x5xf64> -> tensor<100xf64>
  %w = array.dynamic_update_slice %k[%one], %u : tensor<100xf64>, tensor<80xf64>
  %b = array.mul %w, %w : tensor<100xf64>
  %c = array.add %b, %w : tensor<100xf64>
  func.return %b, %c : tensor<100xf64>, tensor<100xf64>
}

// CHECK-LABEL: func.func @window(%x: tensor<100x5xf64>, %u: tensor<80xf64>) -> (tensor<100xf64>, tensor<100xf64>)
// CHECK-NEXT:    %b, %c = kernel.fusion ins(%x_1 = %x : tensor<100x5xf64>, %u_1 = %u : tensor<80xf64>) schedule<rows = [0], vector = 4> {
// CHECK-NEXT:    %k = array.reduce add %x_1 dims [1] : tensor<100x5xf64> -> tensor<100xf64>
// CHECK-NEXT:    %one = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:    %w = array.dynamic_update_slice %k[%one], %u_1 : tensor<100xf64>, tensor<80xf64>
// CHECK-NEXT:    %b_1 = array.mul %w, %w : tensor<100xf64>
// CHECK-NEXT:    %c_1 = array.add %b_1, %w : tensor<100xf64>
// CHECK-NEXT:    kernel.yield %b_1, %c_1 : tensor<100xf64>, tensor<100xf64>
// CHECK-NEXT:    } -> (tensor<100xf64>, tensor<100xf64>)
// CHECK-NEXT:    func.return %b, %c : tensor<100xf64>, tensor<100xf64>

// -----

// Where small arrays are written out, an update takes what it writes from data and from new rows.

func.func @data(%x: tensor<9xf64>, %t: tensor<9xf64>, %z: tensor<i64>) -> (tensor<9xf64>, tensor<i64>) {
  %k = array.constant dense<[0, 3, -2]> : tensor<3xi64>
  %i = array.iota dim 0 : tensor<3xi64>
  %g = array.gather %x[%k] dims [0] : tensor<9xf64>, tensor<3xi64> -> tensor<3xf64>
  %y = array.scatter add %t[%i], %g dims [0] : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
  %w = array.scan length 2 carries(%z : tensor<i64>) {
  ^bb0(%n: tensor<i64>, %a: tensor<i64>):
    array.yield %n : tensor<i64>
  }
  func.return %y, %w : tensor<9xf64>, tensor<i64>
}

// CHECK-LABEL: func.func @data(%x: tensor<9xf64>, %t: tensor<9xf64>, %z: tensor<i64>) -> (tensor<9xf64>, tensor<i64>)
// CHECK-NEXT:    %y = kernel.fusion ins(%t_1 = %t : tensor<9xf64>, %x_1 = %x : tensor<9xf64>) schedule<rows = [], vector = 4> {
// CHECK-NEXT:    %k = array.constant dense<[0, 3, -2]> : tensor<3xi64>
// CHECK-NEXT:    %g = array.gather %x_1[%k] dims [0] : tensor<9xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    %i = array.iota dim 0 : tensor<3xi64>
// CHECK-NEXT:    %y_1 = array.scatter add %t_1[%i], %g dims [0] : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<9xf64>
// CHECK-NEXT:    } -> (tensor<9xf64>)
// CHECK-NEXT:    %w = array.scan length 2 carries(%z : tensor<i64>) {
// CHECK-NEXT:    ^bb0(%n: tensor<i64>, %a: tensor<i64>):
// CHECK-NEXT:    array.yield %n : tensor<i64>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y, %w : tensor<9xf64>, tensor<i64>

// -----

func.func @rows(%x: tensor<2x3xf64>, %t: tensor<9xf64>, %z: tensor<i64>) -> (tensor<9xf64>, tensor<i64>) {
  %i = array.iota dim 0 : tensor<3xi64>
  %c = array.transpose %x permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
  %r = array.reshape %c : tensor<3x2xf64> -> tensor<6xf64>
  %g = array.slice %r starts [1] limits [6] strides [2] : tensor<6xf64> -> tensor<3xf64>
  %y = array.scatter add %t[%i], %g dims [0] : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
  %w = array.scan length 2 carries(%z : tensor<i64>) {
  ^bb0(%n: tensor<i64>, %a: tensor<i64>):
    array.yield %n : tensor<i64>
  }
  func.return %y, %w : tensor<9xf64>, tensor<i64>
}

// CHECK-LABEL: func.func @rows(%x: tensor<2x3xf64>, %t: tensor<9xf64>, %z: tensor<i64>) -> (tensor<9xf64>, tensor<i64>)
// CHECK-NEXT:    %y = kernel.fusion ins(%t_1 = %t : tensor<9xf64>, %x_1 = %x : tensor<2x3xf64>) schedule<rows = [], vector = 4> {
// CHECK-NEXT:    %c = array.transpose %x_1 permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
// CHECK-NEXT:    %r = array.reshape %c : tensor<3x2xf64> -> tensor<6xf64>
// CHECK-NEXT:    %g = array.slice %r starts [1] limits [6] strides [2] : tensor<6xf64> -> tensor<3xf64>
// CHECK-NEXT:    %i = array.iota dim 0 : tensor<3xi64>
// CHECK-NEXT:    %y_1 = array.scatter add %t_1[%i], %g dims [0] : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<9xf64>
// CHECK-NEXT:    } -> (tensor<9xf64>)
// CHECK-NEXT:    %w = array.scan length 2 carries(%z : tensor<i64>) {
// CHECK-NEXT:    ^bb0(%n: tensor<i64>, %a: tensor<i64>):
// CHECK-NEXT:    array.yield %n : tensor<i64>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %y, %w : tensor<9xf64>, tensor<i64>
