// RUN: gradatim-opt %s -p array-inline --split-input-file --verify-diagnostics | filecheck %s

func.func @even(%x: tensor<f64>) -> tensor<f64> {
  %r = func.call @odd(%x) : (tensor<f64>) -> tensor<f64>
  func.return %r : tensor<f64>
}

func.func @odd(%x: tensor<f64>) -> tensor<f64> {
  %r = func.call @even(%x) : (tensor<f64>) -> tensor<f64> loc("model.py":7:3)
  func.return %r : tensor<f64>
}

// CHECK: a recursive function cannot be inlined: @even calls @odd calls @even
// CHECK-NEXT: at model.py:7

// -----

func.func private @external(tensor<f64>) -> tensor<f64>

func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %r = func.call @external(%x) : (tensor<f64>) -> tensor<f64>
  func.return %r : tensor<f64>
}

// CHECK: the module has no function @external to inline
