// RUN: gradatim-opt %s -p 'array-inline' | filecheck %s
// RUN: gradatim-opt %s -p 'array-vmap{function=f size=2},array-inline' | filecheck %s --check-prefix BATCH
// RUN: gradatim-opt %s -p 'array-jvp{function=f},array-jvp{function=f argnums=0,1},array-canonicalize,array-dce' | filecheck %s --check-prefix SECOND

// Calls in regions are inlined. A rule that calls the function that it belongs to is opened once.

func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %y = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %b = func.call @value(%a) : (tensor<f64>) -> tensor<f64>
    array.yield %b : tensor<f64>
  } jvp {
  ^bb0(%a: tensor<f64>, %t: tensor<f64>):
    %b, %c = func.call @rule(%a, %t) : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
    array.yield %b, %c : tensor<f64>, tensor<f64>
  }
  func.return %y : tensor<f64>
}
func.func private @value(%x: tensor<f64>) -> tensor<f64> {
  %y = array.exp %x : tensor<f64>
  func.return %y : tensor<f64>
}
func.func private @rule(%x: tensor<f64>, %t: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %b = func.call @value(%a) : (tensor<f64>) -> tensor<f64>
    array.yield %b : tensor<f64>
  } jvp {
  ^bb0(%a: tensor<f64>, %u: tensor<f64>):
    %b, %c = func.call @rule(%a, %u) : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
    array.yield %b, %c : tensor<f64>, tensor<f64>
  }
  %z = array.mul %t, %y : tensor<f64>
  func.return %y, %z : tensor<f64>, tensor<f64>
}

// CHECK-LABEL: func.func @f
// CHECK-NEXT:    array.custom_derivative
// CHECK-NEXT:    ^bb0(
// CHECK-NEXT:      array.exp
// CHECK-NEXT:      array.yield
// CHECK-NEXT:    } jvp {
// CHECK-NEXT:    ^bb0(
// CHECK-NEXT:      array.custom_derivative
// CHECK-NEXT:      ^bb0(
// CHECK-NEXT:        array.exp
// CHECK-NEXT:        array.yield
// CHECK-NEXT:      } jvp {
// CHECK-NEXT:      ^bb0(
// CHECK-NEXT:        func.call @rule(
// CHECK-NEXT:        array.yield
// CHECK-NEXT:      }
// CHECK-NEXT:      array.mul

// A batch of the rule stands beside it and calls itself.

// BATCH-LABEL: func.func @f(%x: tensor<2xf64>) -> tensor<2xf64>
// BATCH:           func.call @rule.vmap2.bb(
// BATCH-LABEL: func.func private @rule.vmap2.bb(
// BATCH:           func.call @rule.vmap2.bb(

// The second derivative of exp is exp, and nothing of the rules is left.

// SECOND-LABEL: func.func @f
// SECOND:         array.mul
// SECOND:         func.return
