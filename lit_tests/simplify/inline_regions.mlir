// RUN: gradatim-opt %s -p array-inline-regions | filecheck %s

// What runs exactly once becomes part of what is around it; names and barriers are dropped.
func.func @once(%p: tensor<i1>, %x: tensor<f64>) -> tensor<f64> {
  %y = array.remat policy "nothing" operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %b = array.sin %a : tensor<f64>
    %c = array.name "kept" %b : tensor<f64> -> tensor<f64>
    array.yield %c : tensor<f64>
  }
  %z = array.barrier %y : tensor<f64> -> tensor<f64>
  %w = array.case index(%p : tensor<i1>) operands(%z : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %b = array.cos %a : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %w : tensor<f64>
}
// CHECK-LABEL: func.func @once
// CHECK-NEXT:  %b = array.sin %x : tensor<f64>
// CHECK-NEXT:  %b_1 = array.cos %b : tensor<f64>
// CHECK-NEXT:  func.return %b_1 : tensor<f64>

// The number of one of two branches is a bool, that of one of several an existing one.
func.func @numbers(%i: tensor<i32>, %j: tensor<ui8>, %x: tensor<f64>) -> tensor<f64> {
  %y = array.case index(%i : tensor<i32>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %b = array.neg %a : tensor<f64>
    array.yield %b : tensor<f64>
  }
  %z = array.case index(%j : tensor<ui8>) operands(%y : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %b = array.neg %a : tensor<f64>
    array.yield %b : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %b = array.exp %a : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %z : tensor<f64>
}
// CHECK-LABEL: func.func @numbers
// CHECK-NEXT:  %[[ZERO:.*]] = array.constant dense<0> : tensor<i32>
// CHECK-NEXT:  %[[C:.*]] = array.compare gt %i, %[[ZERO]]
// CHECK-NEXT:  array.case index(%[[C]] : tensor<i1>)
// CHECK:       %[[M:.*]] = array.clamp %{{.*}}, %j, %{{.*}} : tensor<ui8>
// CHECK-NEXT:  %[[N:.*]] = array.convert %[[M]] : tensor<ui8> -> tensor<i64>
// CHECK-NEXT:  array.case index(%[[N]] : tensor<i64>)
