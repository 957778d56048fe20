// RUN: gradatim-opt %s -p 'array-canonicalize{fast=true}' --split-input-file | filecheck %s

// Zeros have no sign.

// Floats may be negative zeros.

func.func @floats(%x: tensor<9xf64>, %u: tensor<2xf64>, %i: tensor<i64>) -> tensor<9xf64> {
  %zeros = array.constant dense<0.0> : tensor<9xf64>
  %a = array.dynamic_update_slice %zeros[%i], %u : tensor<9xf64>, tensor<2xf64>
  %b = array.add %a, %x : tensor<9xf64>
  func.return %b : tensor<9xf64>
}

// CHECK-LABEL: func.func @floats(%x: tensor<9xf64>, %u: tensor<2xf64>, %i: tensor<i64>) -> tensor<9xf64>
// CHECK-NEXT:    %0 = array.dynamic_slice %x[%i] : tensor<9xf64> -> tensor<2xf64>
// CHECK-NEXT:    %1 = array.add %0, %u : tensor<2xf64>
// CHECK-NEXT:    %b = array.dynamic_update_slice %x[%i], %1 : tensor<9xf64>, tensor<2xf64>
// CHECK-NEXT:    func.return %b : tensor<9xf64>
