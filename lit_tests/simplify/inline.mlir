// RUN: gradatim-opt %s -p array-inline --split-input-file | filecheck %s

// A callee is opened at each call, calls within it too; nothing private is left over.

func.func private @square(%x: tensor<4xf64>) -> tensor<4xf64> {
  %s = array.mul %x, %x : tensor<4xf64>
  func.return %s : tensor<4xf64>
}

func.func private @fourth(%x: tensor<4xf64>) -> tensor<4xf64> {
  %s = func.call @square(%x) : (tensor<4xf64>) -> tensor<4xf64>
  %t = func.call @square(%s) : (tensor<4xf64>) -> tensor<4xf64>
  func.return %t : tensor<4xf64>
}

func.func @f(%a: tensor<4xf64>) -> tensor<4xf64> {
  %r = func.call @fourth(%a) : (tensor<4xf64>) -> tensor<4xf64>
  %n = array.neg %r : tensor<4xf64>
  func.return %n : tensor<4xf64>
}

// CHECK-NOT:   @square
// CHECK-NOT:   @fourth
// CHECK-LABEL: func.func @f
// CHECK-SAME:    (%a: tensor<4xf64>)
// CHECK-NEXT:    %s = array.mul %a, %a : tensor<4xf64>
// CHECK-NEXT:    %s_1 = array.mul %s, %s : tensor<4xf64>
// CHECK-NEXT:    %n = array.neg %s_1 : tensor<4xf64>
// CHECK-NEXT:    func.return %n : tensor<4xf64>

// -----

// A public callee stays, and results come in any order or number.

func.func @parts(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %d = array.sub %x, %y : tensor<f64>
  func.return %y, %d : tensor<f64>, tensor<f64>
}

func.func @g(%a: tensor<f64>, %b: tensor<f64>) -> tensor<f64> {
  %r:2 = func.call @parts(%a, %b) : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  %p = array.add %r#0, %r#1 : tensor<f64>
  func.return %p : tensor<f64>
}

// CHECK-LABEL: func.func @parts
// CHECK-LABEL: func.func @g
// CHECK-NEXT:    %d = array.sub %a, %b : tensor<f64>
// CHECK-NEXT:    %p = array.add %b, %d : tensor<f64>
// CHECK-NEXT:    func.return %p : tensor<f64>
