// RUN: gradatim-opt %s -p array-split-complex | filecheck %s

// Loops and tapes carry the parts of complex values.
func.func @loop(%z: tensor<complex<f64>>, %xs: tensor<5xcomplex<f64>>) -> (tensor<complex<f64>>, tensor<5xf64>) {
  %w, %ys = array.scan length 5 carries(%z : tensor<complex<f64>>) elements(%xs : tensor<5xcomplex<f64>>) {
  ^bb0(%i: tensor<i64>, %a: tensor<complex<f64>>, %x: tensor<complex<f64>>):
    %b = array.add %a, %x : tensor<complex<f64>>
    %r = array.real %b : tensor<complex<f64>> -> tensor<f64>
    array.yield %b, %r : tensor<complex<f64>>, tensor<f64>
  }
  func.return %w, %ys : tensor<complex<f64>>, tensor<5xf64>
}
// CHECK-LABEL: func.func @loop(%z: tensor<2xf64>, %xs: tensor<5x2xf64>) -> (tensor<2xf64>, tensor<5xf64>) {
// CHECK:       array.scan length 5 carries(%{{.*}}, %{{.*}} : tensor<f64>, tensor<f64>) elements(%{{.*}}, %{{.*}} : tensor<5xf64>, tensor<5xf64>) {
// CHECK-NEXT:  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %[[I:.*]]: tensor<f64>, %x: tensor<f64>, %[[J:.*]]: tensor<f64>):
// CHECK-NEXT:    %[[B:.*]] = array.add %a, %x : tensor<f64>
// CHECK-NEXT:    %[[K:.*]] = array.add %[[I]], %[[J]] : tensor<f64>
// CHECK-NEXT:    array.yield %[[B]], %[[K]], %[[B]] : tensor<f64>, tensor<f64>, tensor<f64>

func.func @tape(%z: tensor<complex<f64>>) -> tensor<f64> {
  %t = array.tape_new : !array.tape<tensor<complex<f64>>>
  %u = array.tape_push %t, %z : !array.tape<tensor<complex<f64>>>, tensor<complex<f64>> -> !array.tape<tensor<complex<f64>>>
  %v, %w = array.tape_pop %u : !array.tape<tensor<complex<f64>>>, tensor<complex<f64>> from !array.tape<tensor<complex<f64>>>
  %r = array.abs %w : tensor<complex<f64>> -> tensor<f64>
  func.return %r : tensor<f64>
}
// CHECK-LABEL: func.func @tape
// CHECK:       array.tape_new : !array.tape<tensor<f64>, tensor<f64>>
// CHECK-NEXT:  array.tape_push %t, %{{.*}}, %{{.*}} : !array.tape<tensor<f64>, tensor<f64>>
// CHECK-NEXT:  array.tape_pop
