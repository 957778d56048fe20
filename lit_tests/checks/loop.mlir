// RUN: gradatim-opt %s -p array-checks | filecheck %s

// A loop carries the code behind what else it carries.

// CHECK-LABEL: func.func @g
// CHECK-SAME:    -> (tensor<i64>, tensor<i64>)
// CHECK-NEXT:    %0 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %1, %2, %3 = array.while carries(%n, %ok, %0 : tensor<i64>, tensor<i1>, tensor<i64>)
func.func @g(%n: tensor<i64>, %ok: tensor<i1>) -> tensor<i64> {
  %0:2 = array.while carries(%n, %ok : tensor<i64>, tensor<i1>) {
  ^bb0(%a: tensor<i64>, %b: tensor<i1>):
    array.yield %b : tensor<i1>
  } do {
  ^bb0(%a: tensor<i64>, %b: tensor<i1>):
    %c = array.check %b "loop" raises 4 : i64 names []
    array.yield %a, %b : tensor<i64>, tensor<i1>
  }
  func.return %0#0 : tensor<i64>
}
