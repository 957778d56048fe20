// RUN: gradatim-opt %s -p 'array-vmap{size=4}' | filecheck %s

// One call for each lane, in order.
// CHECK-LABEL: func.func @each
// CHECK-NEXT:    %y = array.scan length 4 elements(%x : tensor<4xf64>) {
// CHECK:           array.callback 0 : i64 "f" mapping "sequential" types [tensor<f64>]
func.func @each(%x: tensor<f64>) -> tensor<f64> {
  %y = array.callback 0 : i64 "f" mapping "sequential" types [tensor<f64>] operands(%x : tensor<f64>) -> tensor<f64>
  func.return %y : tensor<f64>
}

// One call for all.
// CHECK-LABEL: func.func @all
// CHECK-NEXT:    %y = array.callback 0 : i64 "f" mapping "broadcast_all" types [tensor<4x2xf64>] operands(%x : tensor<4xf64>) -> tensor<4x2xf64>
func.func @all(%x: tensor<f64>) -> tensor<2xf64> {
  %y = array.callback 0 : i64 "f" mapping "broadcast_all" types [tensor<2xf64>] operands(%x : tensor<f64>) -> tensor<2xf64>
  func.return %y : tensor<2xf64>
}
