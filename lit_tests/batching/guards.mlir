// RUN: gradatim-opt %s -p 'array-vmap{size=3}' | filecheck %s
// RUN: gradatim-opt %s -p 'array-vmap{size=3},array-drop-rules' | filecheck %s --check-prefix=DROPPED
// RUN: gradatim-opt %s -p 'array-vmap{size=3},array-jvp' | filecheck %s --check-prefix=CHOSEN
// RUN: gradatim-opt %s -p 'array-vmap{size=3}' --print-op-generic | gradatim-opt | filecheck %s

// Lanes that have stopped do not divide by their last number, if that is differentiated. Else it
// makes no difference.
func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %0 = array.while carries(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %zero = array.constant dense<0.0> : tensor<f64>
    %more = array.compare gt %a, %zero : tensor<f64> -> tensor<i1>
    array.yield %more : tensor<i1>
  } do {
  ^bb0(%a: tensor<f64>):
    %one = array.constant dense<1.0> : tensor<f64>
    %b = array.div %one, %a : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %0 : tensor<f64>
}
// CHECK:      } do {
// CHECK-NEXT: ^bb{{.*}}(%a: tensor<3xf64>, %[[GOING:.*]]: tensor<3xi1>):
// CHECK:        %[[SAFE:.*]] = array.guard %[[GOING]], %a else 1.000000e+00 : f64 : tensor<3xi1>, tensor<3xf64> -> tensor<3xf64>
// CHECK:        array.div %{{.*}}, %[[SAFE]] : tensor<3xf64>

// DROPPED-NOT:  array.guard
// DROPPED:      array.div %{{.*}}, %a : tensor<3xf64>

// CHOSEN-NOT:   array.guard
// CHOSEN:       %[[SAFE:.*]] = array.select %{{.*}}, %a, %{{.*}} : tensor<3xi1>, tensor<3xf64>
// CHOSEN:       array.div %{{.*}}, %[[SAFE]] : tensor<3xf64>
