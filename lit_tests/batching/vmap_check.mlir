// RUN: gradatim-opt %s -p 'array-vmap{size=4}' | filecheck %s

// The check must hold for all lanes; its message tells of the first one for which it does not.

func.func @check(%x: tensor<f64>) -> tensor<f64> {
  %zero = array.constant dense<0.0> : tensor<f64>
  %ok = array.compare gt %x, %zero : tensor<f64> -> tensor<i1>
  %c = array.check %ok "{v} is not positive" raises 3 : i64 names ["v"] payload(%x : tensor<f64>)
  %y = array.log %x : tensor<f64>
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @check(%x: tensor<4xf64>) -> tensor<4xf64> {
// CHECK-NEXT:      %zero = array.constant dense<0.000000e+00> : tensor<f64>
// CHECK-NEXT:      %0 = array.constant dense<0.000000e+00> : tensor<4xf64>
// CHECK-NEXT:      %ok = array.compare gt %x, %0 : tensor<4xf64> -> tensor<4xi1>
// CHECK-NEXT:      %1 = array.convert %ok : tensor<4xi1> -> tensor<4xi32>
// CHECK-NEXT:      %2 = array.argreduce min %1 dim 0 : tensor<4xi32> -> tensor<i64>
// CHECK-NEXT:      %3 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:      %4 = array.dynamic_slice %x[%2] : tensor<4xf64> -> tensor<1xf64>
// CHECK-NEXT:      %5 = array.reshape %4 : tensor<1xf64> -> tensor<f64>
// CHECK-NEXT:      %6 = array.reduce and %ok dims [0] : tensor<4xi1> -> tensor<i1>
// CHECK-NEXT:      %c = array.check %6 "{v} is not positive" raises 3 : i64 names ["v"] payload(%5 : tensor<f64>)
// CHECK-NEXT:      %y = array.log %x : tensor<4xf64>
// CHECK-NEXT:      func.return %y : tensor<4xf64>
