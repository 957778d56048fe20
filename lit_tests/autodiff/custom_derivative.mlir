// RUN: gradatim-opt %s -p 'array-jvp,array-canonicalize' --split-input-file | filecheck %s --check-prefix JVP
// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-canonicalize' --split-input-file | filecheck %s --check-prefix VJP

// A forward rule alone: reverse mode transposes it.

func.func @jvp_rule(%x: tensor<f64>) -> tensor<f64> {
  %y = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    array.yield %s : tensor<f64>
  } jvp {
  ^bb0(%a: tensor<f64>, %t: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    %two = array.constant dense<2.0> : tensor<f64>
    %d = array.mul %t, %two : tensor<f64>
    array.yield %s, %d : tensor<f64>, tensor<f64>
  }
  func.return %y : tensor<f64>
}

// JVP-LABEL: func.func @jvp_rule(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %s = array.sin %x : tensor<f64>
// JVP-NEXT:      %two = array.constant dense<2.000000e+00> : tensor<f64>
// JVP-NEXT:      %d = array.mul %x_tangent, %two : tensor<f64>
// JVP-NEXT:      func.return %s, %d : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @jvp_rule(%x: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64> {
// VJP-NEXT:      %two = array.constant dense<2.000000e+00> : tensor<f64>
// VJP-NEXT:      %0 = array.mul %cotangent, %two : tensor<f64>
// VJP-NEXT:      func.return %0 : tensor<f64>

// -----

// A reverse rule alone: forward mode transposes it.

func.func @vjp_rule(%x: tensor<f64>) -> tensor<f64> {
  %y = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    array.yield %s : tensor<f64>
  } forward {
  ^bb0(%a: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    %e = array.exp %a : tensor<f64>
    array.yield %s, %e : tensor<f64>, tensor<f64>
  } backward {
  ^bb0(%e: tensor<f64>, %g: tensor<f64>):
    %d = array.mul %g, %e : tensor<f64>
    array.yield %d : tensor<f64>
  }
  func.return %y : tensor<f64>
}

// JVP-LABEL: func.func @vjp_rule(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %s = array.sin %x : tensor<f64>
// JVP-NEXT:      %e = array.exp %x : tensor<f64>
// JVP-NEXT:      %0 = array.mul %x_tangent, %e : tensor<f64>
// JVP-NEXT:      func.return %s, %0 : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @vjp_rule(%x: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64> {
// VJP-NEXT:      %e = array.exp %x : tensor<f64>
// VJP-NEXT:      %d = array.mul %cotangent, %e : tensor<f64>
// VJP-NEXT:      func.return %d : tensor<f64>

// -----

// The identity with a derivative of its own is not the operand: that has another one.

func.func @reversal(%x: tensor<f64>) -> tensor<f64> {
  %y = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } jvp {
  ^bb0(%a: tensor<f64>, %t: tensor<f64>):
    %n = array.neg %t : tensor<f64>
    array.yield %a, %n : tensor<f64>, tensor<f64>
  }
  %z = array.mul %y, %x : tensor<f64>
  func.return %z : tensor<f64>
}

// JVP-LABEL: func.func @reversal(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %n = array.neg %x_tangent : tensor<f64>
// JVP-NEXT:      %z = array.mul %x, %x : tensor<f64>
// JVP-NEXT:      %0 = array.mul %n, %x : tensor<f64>
// JVP-NEXT:      %1 = array.mul %x_tangent, %x : tensor<f64>
// JVP-NEXT:      %2 = array.add %0, %1 : tensor<f64>
// JVP-NEXT:      func.return %z, %2 : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @reversal(%x: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64> {
// VJP-NEXT:      %0 = array.mul %cotangent, %x : tensor<f64>
// VJP-NEXT:      %1 = array.sub %0, %0 : tensor<f64>
// VJP-NEXT:      func.return %1 : tensor<f64>

// -----

// The first operands may have no derivative.

func.func @undifferentiated(%x: tensor<f64>) -> tensor<f64> {
  %y = array.custom_derivative undifferentiated 1 operands(%x, %x : tensor<f64>, tensor<f64>) {
  ^bb0(%k: tensor<f64>, %a: tensor<f64>):
    %m = array.mul %k, %a : tensor<f64>
    array.yield %m : tensor<f64>
  } jvp {
  ^bb0(%k: tensor<f64>, %a: tensor<f64>, %t: tensor<f64>):
    %m = array.mul %k, %a : tensor<f64>
    %d = array.mul %k, %t : tensor<f64>
    array.yield %m, %d : tensor<f64>, tensor<f64>
  }
  func.return %y : tensor<f64>
}

// JVP-LABEL: func.func @undifferentiated(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %m = array.mul %x, %x : tensor<f64>
// JVP-NEXT:      %d = array.mul %x, %x_tangent : tensor<f64>
// JVP-NEXT:      func.return %m, %d : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @undifferentiated(%x: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64> {
// VJP-NEXT:      %0 = array.mul %cotangent, %x : tensor<f64>
// VJP-NEXT:      func.return %0 : tensor<f64>
