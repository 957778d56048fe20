// RUN: gradatim-opt %s -p 'array-jvp,array-canonicalize' | filecheck %s --check-prefix JVP
// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-canonicalize' | filecheck %s --check-prefix VJP

// A check has no derivative; it is made once, with the values.

func.func @check(%x: tensor<f64>) -> tensor<f64> {
  %zero = array.constant dense<0.0> : tensor<f64>
  %ok = array.compare gt %x, %zero : tensor<f64> -> tensor<i1>
  %c = array.check %ok "{v} is not positive" raises 3 : i64 names ["v"] payload(%x : tensor<f64>)
  %y = array.log %x : tensor<f64>
  func.return %y : tensor<f64>
}

// JVP-LABEL: func.func @check(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %zero = array.constant dense<0.000000e+00> : tensor<f64>
// JVP-NEXT:      %ok = array.compare gt %x, %zero : tensor<f64> -> tensor<i1>
// JVP-NEXT:      %c = array.check %ok "{v} is not positive" raises 3 : i64 names ["v"] payload(%x : tensor<f64>)
// JVP-NEXT:      %y = array.log %x : tensor<f64>
// JVP-NEXT:      %0 = array.div %x_tangent, %x : tensor<f64>
// JVP-NEXT:      func.return %y, %0 : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @check(%x: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64> {
// VJP-NEXT:      %zero = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:      %ok = array.compare gt %x, %zero : tensor<f64> -> tensor<i1>
// VJP-NEXT:      %c = array.check %ok "{v} is not positive" raises 3 : i64 names ["v"] payload(%x : tensor<f64>)
// VJP-NEXT:      %0 = array.div %cotangent, %x : tensor<f64>
// VJP-NEXT:      func.return %0 : tensor<f64>
