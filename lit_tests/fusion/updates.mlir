// RUN: gradatim-opt %s -p array-fuse --split-input-file | filecheck %s

// Windows at known positions.

// A part computed from what surrounds it: the whole array is computed, from the old one.

func.func @stencil(%x: tensor<200xf32>) -> tensor<200xf32> {
  %s = array.sin %x : tensor<200xf32>
  %a = array.slice %s starts [0] limits [198] strides [1] : tensor<200xf32> -> tensor<198xf32>
  %b = array.slice %s starts [2] limits [200] strides [1] : tensor<200xf32> -> tensor<198xf32>
  %c = array.add %a, %b : tensor<198xf32>
  %one = array.constant dense<1> : tensor<i64>
  %y = array.dynamic_update_slice %s[%one], %c : tensor<200xf32>, tensor<198xf32>
  func.return %y : tensor<200xf32>
}

// CHECK-LABEL: func.func @stencil(%x: tensor<200xf32>) -> tensor<200xf32>
// CHECK-NEXT:    %s = kernel.fusion ins(%x_1 = %x : tensor<200xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %s_1 = array.sin %x_1 : tensor<200xf32>
// CHECK-NEXT:    kernel.yield %s_1 : tensor<200xf32>
// CHECK-NEXT:    } -> (tensor<200xf32>)
// CHECK-NEXT:    %y = kernel.fusion ins(%s_1 = %s : tensor<200xf32>) schedule<rows = [], vector = 8, whole = true> {
// CHECK-NEXT:    %a = array.slice %s_1 starts [0] limits [198] strides [1] : tensor<200xf32> -> tensor<198xf32>
// CHECK-NEXT:    %b = array.slice %s_1 starts [2] limits [200] strides [1] : tensor<200xf32> -> tensor<198xf32>
// CHECK-NEXT:    %c = array.add %a, %b : tensor<198xf32>
// CHECK-NEXT:    %one = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:    %y_1 = array.dynamic_update_slice %s_1[%one], %c : tensor<200xf32>, tensor<198xf32>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<200xf32>
// CHECK-NEXT:    } -> (tensor<200xf32>)
// CHECK-NEXT:    func.return %y : tensor<200xf32>

// -----

// Computed from what it replaces, it is stored in its place.

func.func @scaled(%x: tensor<200xf32>) -> tensor<200xf32> {
  %s = array.sin %x : tensor<200xf32>
  %a = array.slice %s starts [1] limits [199] strides [1] : tensor<200xf32> -> tensor<198xf32>
  %b = array.add %a, %a : tensor<198xf32>
  %one = array.constant dense<1> : tensor<i64>
  %y = array.dynamic_update_slice %s[%one], %b : tensor<200xf32>, tensor<198xf32>
  func.return %y : tensor<200xf32>
}

// CHECK-LABEL: func.func @scaled(%x: tensor<200xf32>) -> tensor<200xf32>
// CHECK-NEXT:    %s = kernel.fusion ins(%x_1 = %x : tensor<200xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %s_1 = array.sin %x_1 : tensor<200xf32>
// CHECK-NEXT:    kernel.yield %s_1 : tensor<200xf32>
// CHECK-NEXT:    } -> (tensor<200xf32>)
// CHECK-NEXT:    %y = kernel.fusion ins(%s_1 = %s : tensor<200xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %a = array.slice %s_1 starts [1] limits [199] strides [1] : tensor<200xf32> -> tensor<198xf32>
// CHECK-NEXT:    %b = array.add %a, %a : tensor<198xf32>
// CHECK-NEXT:    %one = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:    %y_1 = array.dynamic_update_slice %s_1[%one], %b : tensor<200xf32>, tensor<198xf32>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<200xf32>
// CHECK-NEXT:    } -> (tensor<200xf32>)
// CHECK-NEXT:    func.return %y : tensor<200xf32>

// -----

// If all of the result is read by a loop, it is computed there.

func.func @read(%x: tensor<200xf32>, %u: tensor<198xf32>) -> tensor<200xf32> {
  %s = array.sin %x : tensor<200xf32>
  %one = array.constant dense<1> : tensor<i64>
  %y = array.dynamic_update_slice %s[%one], %u : tensor<200xf32>, tensor<198xf32>
  %z = array.exp %y : tensor<200xf32>
  func.return %z : tensor<200xf32>
}

// CHECK-LABEL: func.func @read(%x: tensor<200xf32>, %u: tensor<198xf32>) -> tensor<200xf32>
// CHECK-NEXT:    %z = kernel.fusion ins(%x_1 = %x : tensor<200xf32>, %u_1 = %u : tensor<198xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %s = array.sin %x_1 : tensor<200xf32>
// CHECK-NEXT:    %one = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:    %y = array.dynamic_update_slice %s[%one], %u_1 : tensor<200xf32>, tensor<198xf32>
// CHECK-NEXT:    %z_1 = array.exp %y : tensor<200xf32>
// CHECK-NEXT:    kernel.yield %z_1 : tensor<200xf32>
// CHECK-NEXT:    } -> (tensor<200xf32>)
// CHECK-NEXT:    func.return %z : tensor<200xf32>

// -----

// A small part of an argument is stored in a copy.

func.func @small(%x: tensor<200xf32>, %u: tensor<9xf32>) -> tensor<200xf32> {
  %one = array.constant dense<1> : tensor<i64>
  %y = array.dynamic_update_slice %x[%one], %u : tensor<200xf32>, tensor<9xf32>
  func.return %y : tensor<200xf32>
}

// CHECK-LABEL: func.func @small(%x: tensor<200xf32>, %u: tensor<9xf32>) -> tensor<200xf32>
// CHECK-NEXT:    %y = kernel.fusion ins(%x_1 = %x : tensor<200xf32>, %u_1 = %u : tensor<9xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %one = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:    %y_1 = array.dynamic_update_slice %x_1[%one], %u_1 : tensor<200xf32>, tensor<9xf32>
// CHECK-NEXT:    kernel.yield %y_1 : tensor<200xf32>
// CHECK-NEXT:    } -> (tensor<200xf32>)
// CHECK-NEXT:    func.return %y : tensor<200xf32>
