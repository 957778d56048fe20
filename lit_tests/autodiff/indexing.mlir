// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-dce' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p array-jvp --split-input-file | filecheck %s --check-prefix JVP

// Reading: forward mode applies the op itself, reverse mode writes.

// A window goes back among zeros.

func.func @slice(%x: tensor<5x8xf64>, %i: tensor<i64>) -> tensor<1x4xf64> {
  %y = array.dynamic_slice %x[%i, %i] : tensor<5x8xf64> -> tensor<1x4xf64>
  func.return %y : tensor<1x4xf64>
}

// VJP-LABEL: func.func @slice(%x: tensor<5x8xf64>, %i: tensor<i64>, %cotangent: tensor<1x4xf64>) -> tensor<5x8xf64>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<5x8xf64>
// VJP-NEXT:    %1 = array.dynamic_update_slice %0[%i, %i], %cotangent : tensor<5x8xf64>, tensor<1x4xf64>
// VJP-NEXT:    func.return %1 : tensor<5x8xf64>

// JVP-LABEL: func.func @slice(%x: tensor<5x8xf64>, %i: tensor<i64>, %x_tangent: tensor<5x8xf64>) -> (tensor<1x4xf64>, tensor<1x4xf64>)
// JVP-NEXT:    %y = array.dynamic_slice %x[%i, %i] : tensor<5x8xf64> -> tensor<1x4xf64>
// JVP-NEXT:    %0 = array.dynamic_slice %x_tangent[%i, %i] : tensor<5x8xf64> -> tensor<1x4xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<1x4xf64>, tensor<1x4xf64>

// -----

// What is read at several positions: those that are the same are added up before.

func.func @several(%x: tensor<9xf64>, %i: tensor<i64>, %j: tensor<i64>) -> tensor<1xf64> {
  %a = array.dynamic_slice %x[%i] : tensor<9xf64> -> tensor<1xf64>
  %b = array.dynamic_slice %x[%j] : tensor<9xf64> -> tensor<1xf64>
  %c = array.mul %a, %b : tensor<1xf64>
  %y = array.add %c, %a : tensor<1xf64>
  %d = array.dynamic_slice %x[%i] : tensor<9xf64> -> tensor<1xf64>
  %z = array.add %y, %d : tensor<1xf64>
  func.return %z : tensor<1xf64>
}

// VJP-LABEL: func.func @several(%x: tensor<9xf64>, %i: tensor<i64>, %j: tensor<i64>, %cotangent: tensor<1xf64>) -> tensor<9xf64>
// VJP-NEXT:    %a = array.dynamic_slice %x[%i] : tensor<9xf64> -> tensor<1xf64>
// VJP-NEXT:    %b = array.dynamic_slice %x[%j] : tensor<9xf64> -> tensor<1xf64>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<9xf64>
// VJP-NEXT:    %1 = array.mul %cotangent, %b : tensor<1xf64>
// VJP-NEXT:    %2 = array.mul %cotangent, %a : tensor<1xf64>
// VJP-NEXT:    %3 = array.add %cotangent, %1 : tensor<1xf64>
// VJP-NEXT:    %4 = array.add %cotangent, %3 : tensor<1xf64>
// VJP-NEXT:    %5 = array.dynamic_update_slice %0[%i], %4 : tensor<9xf64>, tensor<1xf64>
// VJP-NEXT:    %6 = array.dynamic_slice %5[%j] : tensor<9xf64> -> tensor<1xf64>
// VJP-NEXT:    %7 = array.add %6, %2 : tensor<1xf64>
// VJP-NEXT:    %8 = array.dynamic_update_slice %5[%j], %7 : tensor<9xf64>, tensor<1xf64>
// VJP-NEXT:    func.return %8 : tensor<9xf64>

// JVP-LABEL: func.func @several(%x: tensor<9xf64>, %i: tensor<i64>, %j: tensor<i64>, %x_tangent: tensor<9xf64>) -> (tensor<1xf64>, tensor<1xf64>)
// JVP-NEXT:    %a = array.dynamic_slice %x[%i] : tensor<9xf64> -> tensor<1xf64>
// JVP-NEXT:    %b = array.dynamic_slice %x[%j] : tensor<9xf64> -> tensor<1xf64>
// JVP-NEXT:    %c = array.mul %a, %b : tensor<1xf64>
// JVP-NEXT:    %y = array.add %c, %a : tensor<1xf64>
// JVP-NEXT:    %d = array.dynamic_slice %x[%i] : tensor<9xf64> -> tensor<1xf64>
// JVP-NEXT:    %z = array.add %y, %d : tensor<1xf64>
// JVP-NEXT:    %0 = array.dynamic_slice %x_tangent[%i] : tensor<9xf64> -> tensor<1xf64>
// JVP-NEXT:    %1 = array.dynamic_slice %x_tangent[%j] : tensor<9xf64> -> tensor<1xf64>
// JVP-NEXT:    %2 = array.mul %0, %b : tensor<1xf64>
// JVP-NEXT:    %3 = array.mul %1, %a : tensor<1xf64>
// JVP-NEXT:    %4 = array.add %2, %3 : tensor<1xf64>
// JVP-NEXT:    %5 = array.add %4, %0 : tensor<1xf64>
// JVP-NEXT:    %6 = array.dynamic_slice %x_tangent[%i] : tensor<9xf64> -> tensor<1xf64>
// JVP-NEXT:    %7 = array.add %5, %6 : tensor<1xf64>
// JVP-NEXT:    func.return %z, %7 : tensor<1xf64>, tensor<1xf64>

// -----

// What is read of an array that something else depends on too is added in place.

func.func @beside(%x: tensor<9xf64>, %i: tensor<3xi64>) -> (tensor<3xf64>, tensor<9xf64>) {
  %y = array.gather %x[%i] dims [0] : tensor<9xf64>, tensor<3xi64> -> tensor<3xf64>
  %z = array.neg %x : tensor<9xf64>
  func.return %y, %z : tensor<3xf64>, tensor<9xf64>
}

// VJP-LABEL: func.func @beside(%x: tensor<9xf64>, %i: tensor<3xi64>, %cotangent: tensor<3xf64>, %cotangent_1: tensor<9xf64>) -> tensor<9xf64>
// VJP-NEXT:    %0 = array.neg %cotangent_1 : tensor<9xf64>
// VJP-NEXT:    %1 = array.constant dense<0> : tensor<3xi64>
// VJP-NEXT:    %2 = array.constant dense<8> : tensor<3xi64>
// VJP-NEXT:    %3 = array.clamp %1, %i, %2 : tensor<3xi64>
// VJP-NEXT:    %4 = array.scatter add %0[%3], %cotangent dims [0] : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
// VJP-NEXT:    func.return %4 : tensor<9xf64>

// JVP-LABEL: func.func @beside(%x: tensor<9xf64>, %i: tensor<3xi64>, %x_tangent: tensor<9xf64>) -> (tensor<3xf64>, tensor<9xf64>, tensor<3xf64>, tensor<9xf64>)
// JVP-NEXT:    %y = array.gather %x[%i] dims [0] : tensor<9xf64>, tensor<3xi64> -> tensor<3xf64>
// JVP-NEXT:    %z = array.neg %x : tensor<9xf64>
// JVP-NEXT:    %0 = array.gather %x_tangent[%i] dims [0] : tensor<9xf64>, tensor<3xi64> -> tensor<3xf64>
// JVP-NEXT:    %1 = array.neg %x_tangent : tensor<9xf64>
// JVP-NEXT:    func.return %y, %z, %0, %1 : tensor<3xf64>, tensor<9xf64>, tensor<3xf64>, tensor<9xf64>

// -----

// Positions out of range were read at the edge.

func.func @gather(%x: tensor<5x2xf64>, %i: tensor<3xi64>) -> tensor<3x2xf64> {
  %y = array.gather %x[%i] dims [0] : tensor<5x2xf64>, tensor<3xi64> -> tensor<3x2xf64>
  func.return %y : tensor<3x2xf64>
}

// VJP-LABEL: func.func @gather(%x: tensor<5x2xf64>, %i: tensor<3xi64>, %cotangent: tensor<3x2xf64>) -> tensor<5x2xf64>
// VJP-NEXT:    %0 = array.constant dense<0> : tensor<3xi64>
// VJP-NEXT:    %1 = array.constant dense<4> : tensor<3xi64>
// VJP-NEXT:    %2 = array.clamp %0, %i, %1 : tensor<3xi64>
// VJP-NEXT:    %3 = array.constant dense<0.000000e+00> : tensor<5x2xf64>
// VJP-NEXT:    %4 = array.scatter add %3[%2], %cotangent dims [0] : tensor<5x2xf64>, tensor<3x2xf64>, tensor<3xi64>
// VJP-NEXT:    func.return %4 : tensor<5x2xf64>

// JVP-LABEL: func.func @gather(%x: tensor<5x2xf64>, %i: tensor<3xi64>, %x_tangent: tensor<5x2xf64>) -> (tensor<3x2xf64>, tensor<3x2xf64>)
// JVP-NEXT:    %y = array.gather %x[%i] dims [0] : tensor<5x2xf64>, tensor<3xi64> -> tensor<3x2xf64>
// JVP-NEXT:    %0 = array.gather %x_tangent[%i] dims [0] : tensor<5x2xf64>, tensor<3xi64> -> tensor<3x2xf64>
// JVP-NEXT:    func.return %y, %0 : tensor<3x2xf64>, tensor<3x2xf64>
