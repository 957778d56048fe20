// RUN: gradatim-opt %s -p 'array-jvp{argnums=0},array-canonicalize' | filecheck %s

// Tangents are computed beside the values, in a remat of the same policy; names stay with values.

func.func @names(%x: tensor<4xf64>, %w: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.remat policy "names:a" operands(%x, %w : tensor<4xf64>, tensor<4xf64>) {
  ^bb0(%a: tensor<4xf64>, %b: tensor<4xf64>):
    %s = array.sin %a : tensor<4xf64>
    %n = array.name "a" %s : tensor<4xf64> -> tensor<4xf64>
    %m = array.mul %n, %b : tensor<4xf64>
    array.yield %m : tensor<4xf64>
  }
  func.return %y : tensor<4xf64>
}

// CHECK-LABEL: func.func @names(%x: tensor<4xf64>, %w: tensor<4xf64>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>) {
// CHECK-NEXT:      %y, %0 = array.remat policy "names:a" operands(%x, %w, %x_tangent : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<4xf64>, %b: tensor<4xf64>, %a_tangent: tensor<4xf64>):
// CHECK-NEXT:        %s = array.sin %a : tensor<4xf64>
// CHECK-NEXT:        %n = array.name "a" %s : tensor<4xf64> -> tensor<4xf64>
// CHECK-NEXT:        %m = array.mul %n, %b : tensor<4xf64>
// CHECK-NEXT:        %1 = array.cos %a : tensor<4xf64>
// CHECK-NEXT:        %2 = array.mul %a_tangent, %1 : tensor<4xf64>
// CHECK-NEXT:        %3 = array.mul %2, %b : tensor<4xf64>
// CHECK-NEXT:        array.yield %m, %3 : tensor<4xf64>, tensor<4xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %y, %0 : tensor<4xf64>, tensor<4xf64>

// Tangents pass a barrier of their own.

func.func @barrier(%x: tensor<4xf64>, %w: tensor<4xf64>) -> tensor<4xf64> {
  %y, %z = array.barrier %x, %w : tensor<4xf64>, tensor<4xf64> -> tensor<4xf64>, tensor<4xf64>
  %m = array.mul %y, %z : tensor<4xf64>
  func.return %m : tensor<4xf64>
}

// CHECK-LABEL: func.func @barrier(%x: tensor<4xf64>, %w: tensor<4xf64>, %x_tangent: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>) {
// CHECK-NEXT:      %y, %z = array.barrier %x, %w : tensor<4xf64>, tensor<4xf64> -> tensor<4xf64>, tensor<4xf64>
// CHECK-NEXT:      %m = array.mul %y, %z : tensor<4xf64>
// CHECK-NEXT:      %0 = array.barrier %x_tangent : tensor<4xf64> -> tensor<4xf64>
// CHECK-NEXT:      %1 = array.mul %0, %z : tensor<4xf64>
// CHECK-NEXT:      func.return %m, %1 : tensor<4xf64>, tensor<4xf64>
