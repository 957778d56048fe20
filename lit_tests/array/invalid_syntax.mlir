// RUN: gradatim-opt %s --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: array.no_such_op
func.func @unknown(%x: tensor<2xf32>) {
  %y = array.no_such_op %x : tensor<2xf32>
  func.return
}

// -----

// CHECK: Expected `eq`, `ne`, `lt`, `le`, `gt`, or `ge`
func.func @predicate(%x: tensor<2xf32>) {
  %y = array.compare less %x, %x : tensor<2xf32> -> tensor<2xi1>
  func.return
}

// -----

// CHECK: Shape mismatch in dense literal
func.func @constant() {
  %y = array.constant dense<[1.0, 2.0]> : tensor<3xf32>
  func.return
}
