// RUN: gradatim-opt %s -p 'array-transpose{linear-args=1}' --split-input-file | filecheck %s

// The cotangent of the linear argument, for that of the result and the other argument.

func.func @f(%w: tensor<3xf64>, %x: tensor<f64>) -> tensor<3xf64> {
  %e = array.exp %w : tensor<3xf64>
  %b = array.broadcast %x dims [] : tensor<f64> -> tensor<3xf64>
  %y = array.mul %e, %b : tensor<3xf64>
  func.return %y : tensor<3xf64>
}

// CHECK-LABEL: func.func @f(%w: tensor<3xf64>, %cotangent: tensor<3xf64>) -> tensor<f64> {
// CHECK-NEXT:      %e = array.exp %w : tensor<3xf64>
// CHECK-NEXT:      %0 = array.mul %cotangent, %e : tensor<3xf64>
// CHECK-NEXT:      %1 = array.reduce add %0 dims [0] : tensor<3xf64> -> tensor<f64>
// CHECK-NEXT:      func.return %1 : tensor<f64>

// -----

// A linear loop is run back.

func.func @loop(%w: tensor<4xf64>, %x: tensor<f64>) -> tensor<f64> {
  %last = array.scan length 4 carries(%x : tensor<f64>) elements(%w : tensor<4xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %p: tensor<f64>):
    %b = array.mul %a, %p : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %last : tensor<f64>
}

// CHECK-LABEL: func.func @loop(%w: tensor<4xf64>, %cotangent: tensor<f64>) -> tensor<f64> {
// CHECK-NEXT:      %0 = array.scan length 4 reverse carries(%cotangent : tensor<f64>) elements(%w : tensor<4xf64>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %cotangent_1: tensor<f64>, %p: tensor<f64>):
// CHECK-NEXT:        %1 = array.mul %cotangent_1, %p : tensor<f64>
// CHECK-NEXT:        array.yield %1 : tensor<f64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %0 : tensor<f64>
