// RUN: gradatim-opt %s -p 'array-vmap{size=3 in-axes=0,-1}' | filecheck %s

// All lanes are in one remat of the same policy; what they share stays shared.

func.func @remat(%x: tensor<4xf64>, %w: tensor<4xf64>) -> tensor<4xf64> {
  %y = array.remat policy "names:a" operands(%x, %w : tensor<4xf64>, tensor<4xf64>) {
  ^bb0(%a: tensor<4xf64>, %b: tensor<4xf64>):
    %s = array.sin %a : tensor<4xf64>
    %n = array.name "a" %s : tensor<4xf64> -> tensor<4xf64>
    %m = array.mul %n, %b : tensor<4xf64>
    array.yield %m : tensor<4xf64>
  }
  func.return %y : tensor<4xf64>
}

// CHECK-LABEL: func.func @remat(%x: tensor<3x4xf64>, %w: tensor<4xf64>) -> tensor<3x4xf64> {
// CHECK-NEXT:      %y = array.remat policy "names:a" operands(%x, %w : tensor<3x4xf64>, tensor<4xf64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<3x4xf64>, %b: tensor<4xf64>):
// CHECK-NEXT:        %s = array.sin %a : tensor<3x4xf64>
// CHECK-NEXT:        %n = array.name "a" %s : tensor<3x4xf64> -> tensor<3x4xf64>
// CHECK-NEXT:        %0 = array.broadcast %b dims [1] : tensor<4xf64> -> tensor<3x4xf64>
// CHECK-NEXT:        %m = array.mul %n, %0 : tensor<3x4xf64>
// CHECK-NEXT:        array.yield %m : tensor<3x4xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %y : tensor<3x4xf64>

func.func @barrier(%x: tensor<4xf64>, %w: tensor<4xf64>) -> tensor<4xf64> {
  %y, %z = array.barrier %x, %w : tensor<4xf64>, tensor<4xf64> -> tensor<4xf64>, tensor<4xf64>
  %m = array.mul %y, %z : tensor<4xf64>
  func.return %m : tensor<4xf64>
}

// CHECK-LABEL: func.func @barrier(%x: tensor<3x4xf64>, %w: tensor<4xf64>) -> tensor<3x4xf64> {
// CHECK-NEXT:      %y, %z = array.barrier %x, %w : tensor<3x4xf64>, tensor<4xf64> -> tensor<3x4xf64>, tensor<4xf64>
// CHECK-NEXT:      %0 = array.broadcast %z dims [1] : tensor<4xf64> -> tensor<3x4xf64>
// CHECK-NEXT:      %m = array.mul %y, %0 : tensor<3x4xf64>
// CHECK-NEXT:      func.return %m : tensor<3x4xf64>
