// RUN: gradatim-opt %s -p array-fuse --split-input-file | filecheck %s

// What is taken is read in the loop that needs it, and computed there from what it is taken of.

func.func @gather(%x: tensor<9x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32> {
  %one = array.constant dense<1> : tensor<3xi64>
  %j = array.add %i, %one : tensor<3xi64>
  %s = array.sin %x : tensor<9x4xf32>
  %g = array.gather %s[%j] dims [0] : tensor<9x4xf32>, tensor<3xi64> -> tensor<3x4xf32>
  %y = array.exp %g : tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @gather(%x: tensor<9x4xf32>, %i: tensor<3xi64>) -> tensor<3x4xf32>
// CHECK-NEXT:    %j = kernel.fusion ins(%i_1 = %i : tensor<3xi64>) schedule<rows = [], vector = 4> {
// CHECK-NEXT:    %one = array.constant dense<1> : tensor<3xi64>
// CHECK-NEXT:    %j_1 = array.add %i_1, %one : tensor<3xi64>
// CHECK-NEXT:    kernel.yield %j_1 : tensor<3xi64>
// CHECK-NEXT:    } -> (tensor<3xi64>)
// CHECK-NEXT:    %y = kernel.fusion ins(%x_1 = %x : tensor<9x4xf32>, %j_1 = %j : tensor<3xi64>) schedule<rows = [0], vector = 4> {
// CHECK-NEXT:    %s = array.sin %x_1 : tensor<9x4xf32>
// CHECK-NEXT:    %g = array.gather %s[%j_1] dims [0] : tensor<9x4xf32>, tensor<3xi64> -> tensor<3x4xf32>
// CHECK-NEXT:    %y_1 = array.exp %g : tensor<3x4xf32>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<3x4xf32>
// CHECK-NEXT:    } -> (tensor<3x4xf32>)
// CHECK-NEXT:    func.return %y : tensor<3x4xf32>

// -----

// An update is evaluated where it is written; what reads the array at the same place too.

func.func @in_place(%x: tensor<9xf32>, %i: tensor<i64>) -> tensor<9xf32> {
  %s = array.sin %x : tensor<9xf32>
  %a = array.dynamic_slice %s[%i] : tensor<9xf32> -> tensor<2xf32>
  %b = array.exp %a : tensor<2xf32>
  %y = array.dynamic_update_slice %s[%i], %b : tensor<9xf32>, tensor<2xf32>
  func.return %y : tensor<9xf32>
}

// CHECK-LABEL: func.func @in_place(%x: tensor<9xf32>, %i: tensor<i64>) -> tensor<9xf32>
// CHECK-NEXT:    %s = kernel.fusion ins(%x_1 = %x : tensor<9xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %s_1 = array.sin %x_1 : tensor<9xf32>
// CHECK-NEXT:    kernel.yield %s_1 : tensor<9xf32>
// CHECK-NEXT:    } -> (tensor<9xf32>)
// CHECK-NEXT:    %y = kernel.fusion ins(%s_1 = %s : tensor<9xf32>, %i_1 = %i : tensor<i64>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %a = array.dynamic_slice %s_1[%i_1] : tensor<9xf32> -> tensor<2xf32>
// CHECK-NEXT:    %b = array.exp %a : tensor<2xf32>
// CHECK-NEXT:    %y_1 = array.dynamic_update_slice %s_1[%i_1], %b : tensor<9xf32>, tensor<2xf32>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<9xf32>
// CHECK-NEXT:    } -> (tensor<9xf32>)
// CHECK-NEXT:    func.return %y : tensor<9xf32>

// -----

// What reads it elsewhere is computed before.

func.func @apart(%x: tensor<9xf32>, %i: tensor<i64>, %j: tensor<i64>) -> tensor<9xf32> {
  %s = array.sin %x : tensor<9xf32>
  %a = array.dynamic_slice %s[%j] : tensor<9xf32> -> tensor<2xf32>
  %b = array.exp %a : tensor<2xf32>
  %y = array.dynamic_update_slice %s[%i], %b : tensor<9xf32>, tensor<2xf32>
  func.return %y : tensor<9xf32>
}

// CHECK-LABEL: func.func @apart(%x: tensor<9xf32>, %i: tensor<i64>, %j: tensor<i64>) -> tensor<9xf32>
// CHECK-NEXT:    %s = kernel.fusion ins(%x_1 = %x : tensor<9xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %s_1 = array.sin %x_1 : tensor<9xf32>
// CHECK-NEXT:    kernel.yield %s_1 : tensor<9xf32>
// CHECK-NEXT:    } -> (tensor<9xf32>)
// CHECK-NEXT:    %b = kernel.fusion ins(%s_1 = %s : tensor<9xf32>, %j_1 = %j : tensor<i64>) schedule<rows = [], vector = 2> {
// CHECK-NEXT:    %a = array.dynamic_slice %s_1[%j_1] : tensor<9xf32> -> tensor<2xf32>
// CHECK-NEXT:    %b_1 = array.exp %a : tensor<2xf32>
// CHECK-NEXT:    kernel.yield %b_1 : tensor<2xf32>
// CHECK-NEXT:    } -> (tensor<2xf32>)
// CHECK-NEXT:    %y = kernel.fusion ins(%s_1 = %s : tensor<9xf32>, %b_1 = %b : tensor<2xf32>, %i_1 = %i : tensor<i64>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %y_1 = array.dynamic_update_slice %s_1[%i_1], %b_1 : tensor<9xf32>, tensor<2xf32>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<9xf32>
// CHECK-NEXT:    } -> (tensor<9xf32>)
// CHECK-NEXT:    func.return %y : tensor<9xf32>

// -----

// Later readers of the old array come first.

func.func @order(%x: tensor<9xf32>, %u: tensor<2xf32>, %i: tensor<i64>) -> (tensor<9xf32>, tensor<2xf32>, tensor<2xf32>) {
  %s = array.sin %x : tensor<9xf32>
  %y = array.dynamic_update_slice %s[%i], %u : tensor<9xf32>, tensor<2xf32>
  %a = array.dynamic_slice %s[%i] : tensor<9xf32> -> tensor<2xf32>
  %b = array.exp %a : tensor<2xf32>
  %c = array.slice %y starts [0] limits [2] strides [1] : tensor<9xf32> -> tensor<2xf32>
  %d = array.mul %a, %c : tensor<2xf32>
  func.return %y, %b, %d : tensor<9xf32>, tensor<2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func.func @order(%x: tensor<9xf32>, %u: tensor<2xf32>, %i: tensor<i64>) -> (tensor<9xf32>, tensor<2xf32>, tensor<2xf32>)
// CHECK-NEXT:    %s = kernel.fusion ins(%x_1 = %x : tensor<9xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %s_1 = array.sin %x_1 : tensor<9xf32>
// CHECK-NEXT:    kernel.yield %s_1 : tensor<9xf32>
// CHECK-NEXT:    } -> (tensor<9xf32>)
// CHECK-NEXT:    %a, %b = kernel.fusion ins(%s_1 = %s : tensor<9xf32>, %i_1 = %i : tensor<i64>) schedule<rows = [], vector = 2> {
// CHECK-NEXT:    %a_1 = array.dynamic_slice %s_1[%i_1] : tensor<9xf32> -> tensor<2xf32>
// CHECK-NEXT:    %b_1 = array.exp %a_1 : tensor<2xf32>
// CHECK-NEXT:    kernel.yield %a_1, %b_1 : tensor<2xf32>, tensor<2xf32>
// CHECK-NEXT:    } -> (tensor<2xf32>, tensor<2xf32>)
// CHECK-NEXT:    %y = kernel.fusion ins(%s_1 = %s : tensor<9xf32>, %u_1 = %u : tensor<2xf32>, %i_1 = %i : tensor<i64>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %y_1 = array.dynamic_update_slice %s_1[%i_1], %u_1 : tensor<9xf32>, tensor<2xf32>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<9xf32>
// CHECK-NEXT:    } -> (tensor<9xf32>)
// CHECK-NEXT:    %d = kernel.fusion ins(%a_1 = %a : tensor<2xf32>, %y_1 = %y : tensor<9xf32>) schedule<rows = [], vector = 2> {
// CHECK-NEXT:    %c = array.slice %y_1 starts [0] limits [2] strides [1] : tensor<9xf32> -> tensor<2xf32>
// CHECK-NEXT:    %d_1 = array.mul %a_1, %c : tensor<2xf32>
// CHECK-NEXT:    kernel.yield %d_1 : tensor<2xf32>
// CHECK-NEXT:    } -> (tensor<2xf32>)
// CHECK-NEXT:    func.return %y, %b, %d : tensor<9xf32>, tensor<2xf32>, tensor<2xf32>
