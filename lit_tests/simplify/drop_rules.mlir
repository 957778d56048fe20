// RUN: gradatim-opt %s -p 'array-drop-rules' | filecheck %s

// Ops that only say how to differentiate are opened, also within regions; barriers stay.

func.func @f(%x: tensor<f64>, %p: tensor<i1>) -> tensor<f64> {
  %a = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%0: tensor<f64>):
    %1 = array.remat policy "nothing" operands(%0 : tensor<f64>) {
    ^bb0(%2: tensor<f64>):
      %3 = array.sin %2 : tensor<f64>
      %4 = array.name "a" %3 : tensor<f64> -> tensor<f64>
      array.yield %4 : tensor<f64>
    }
    array.yield %1 : tensor<f64>
  } jvp {
  ^bb0(%5: tensor<f64>, %6: tensor<f64>):
    %7 = array.cos %5 : tensor<f64>
    array.yield %7, %6 : tensor<f64>, tensor<f64>
  }
  %b = array.barrier %a : tensor<f64> -> tensor<f64>
  %c = array.case index(%p : tensor<i1>) operands(%b : tensor<f64>) {
  ^bb0(%8: tensor<f64>):
    %9 = array.remat policy "dots" operands(%8 : tensor<f64>) {
    ^bb0(%10: tensor<f64>):
      %11 = array.exp %10 : tensor<f64>
      array.yield %11 : tensor<f64>
    }
    array.yield %9 : tensor<f64>
  } or {
  ^bb0(%12: tensor<f64>):
    array.yield %12 : tensor<f64>
  }
  func.return %c : tensor<f64>
}

// CHECK-LABEL: func.func @f(%x: tensor<f64>, %p: tensor<i1>)
// CHECK-NEXT:    %[[S:.*]] = array.sin %x
// CHECK-NEXT:    %[[B:.*]] = array.barrier %[[S]]
// CHECK-NEXT:    %{{.*}} = array.case index(%p : tensor<i1>) operands(%[[B]] : tensor<f64>) {
// CHECK-NEXT:    ^bb0(%[[Y:.*]]: tensor<f64>):
// CHECK-NEXT:      %[[E:.*]] = array.exp %[[Y]]
// CHECK-NEXT:      array.yield %[[E]]
