// RUN: gradatim-opt %s -p 'array-vjp{argnums=1 seed=true}' --split-input-file --verify-diagnostics | filecheck %s

func.func @integer(%x: tensor<f64>, %n: tensor<i32>) -> tensor<f64> {
  func.return %x : tensor<f64>
}

// CHECK: @integer cannot be differentiated by argument 1: it is i32[], and only floats and complex numbers have derivatives

// -----

func.func @one_argument(%x: tensor<f64>) -> tensor<f64> {
  func.return %x : tensor<f64>
}

// CHECK: argnums [1] are not distinct arguments of @one_argument, which has 1

// -----

func.func @vector(%x: tensor<f64>, %y: tensor<4xf64>) -> tensor<4xf64> {
  func.return %y : tensor<4xf64>
}

// CHECK: a gradient needs a result that is one float; @vector returns f64[4]

// -----

func.func @recursive(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %r = func.call @recursive(%x, %y) : (tensor<f64>, tensor<f64>) -> tensor<f64>
  func.return %r : tensor<f64>
}

// CHECK: a recursive function cannot be inlined: @recursive calls @recursive
