// RUN: gradatim-opt %s --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: array.case: the index must be one bool or integer, not f32[]
func.func @index(%p: tensor<f32>, %x: tensor<f64>) {
  %r = array.case index(%p : tensor<f32>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  }
  func.return
}

// -----

// CHECK: array.case: results of region 1 are (tensor<f32>), not (tensor<f64>)
func.func @branches(%p: tensor<i1>, %x: tensor<f64>) {
  %r = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %b = array.convert %a : tensor<f64> -> tensor<f32>
    array.yield %b : tensor<f32>
  }
  func.return
}

// -----

// CHECK: array.scan: carries are (tensor<f32>), not (tensor<f64>)
func.func @carry(%x: tensor<f64>) {
  %r = array.scan length 3 carries(%x : tensor<f64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>):
    %b = array.convert %a : tensor<f64> -> tensor<f32>
    array.yield %b : tensor<f32>
  }
  func.return
}

// -----

// CHECK: array.scan: elements f64[4] must have 3 along dimension 0
func.func @length(%x: tensor<4xf64>) {
  array.scan length 3 elements(%x : tensor<4xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>):
    array.yield
  }
  func.return
}

// -----

// CHECK: array.while: results of the condition are (tensor<f64>), not (tensor<i1>)
func.func @condition(%x: tensor<f64>) {
  %r = array.while carries(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } do {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  }
  func.return
}

// -----

// CHECK: array.remat: the policy is one of nothing, everything, dots or names:..., not "all"
func.func @policy(%x: tensor<f64>) {
  %r = array.remat policy "all" operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  }
  func.return
}

// -----

// CHECK: array.custom_derivative: there must be a jvp, or a forward and a backward rule
func.func @rules(%x: tensor<f64>) {
  %r = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  }
  func.return
}

// -----

// CHECK: array.custom_derivative: results of jvp are (tensor<f64>), not (tensor<f64>, tensor<f64>)
func.func @tangents(%x: tensor<f64>) {
  %r = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } jvp {
  ^bb0(%a: tensor<f64>, %t: tensor<f64>):
    array.yield %t : tensor<f64>
  }
  func.return
}
