// RUN: gradatim-opt %s -p 'array-vjp{value=false}' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p array-jvp --split-input-file | filecheck %s --check-prefix JVP

// What does not depend on the argument is copied and gets no derivative.

func.func @constant_part(%x: tensor<f64>, %w: tensor<f64>) -> tensor<f64> {
  %a = array.exp %w : tensor<f64>
  %b = array.sin %a : tensor<f64>
  %y = array.mul %x, %b : tensor<f64>
  func.return %y : tensor<f64>
}

// VJP-LABEL: func.func @constant_part(%x: tensor<f64>, %w: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64>
// VJP-NEXT:    %a = array.exp %w : tensor<f64>
// VJP-NEXT:    %b = array.sin %a : tensor<f64>
// VJP-NEXT:    %y = array.mul %x, %b : tensor<f64>
// VJP-NEXT:    %0 = array.mul %cotangent, %b : tensor<f64>
// VJP-NEXT:    func.return %0 : tensor<f64>

// JVP-LABEL: func.func @constant_part(%x: tensor<f64>, %w: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %a = array.exp %w : tensor<f64>
// JVP-NEXT:    %b = array.sin %a : tensor<f64>
// JVP-NEXT:    %y = array.mul %x, %b : tensor<f64>
// JVP-NEXT:    %0 = array.mul %x_tangent, %b : tensor<f64>
// JVP-NEXT:    func.return %y, %0 : tensor<f64>, tensor<f64>

// -----

// What no result depends on gets none either.

func.func @unused_part(%x: tensor<f64>) -> tensor<f64> {
  %a = array.exp %x : tensor<f64>
  %b = array.sin %a : tensor<f64>
  %y = array.neg %x : tensor<f64>
  func.return %y : tensor<f64>
}

// VJP-LABEL: func.func @unused_part(%x: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64>
// VJP-NEXT:    %a = array.exp %x : tensor<f64>
// VJP-NEXT:    %b = array.sin %a : tensor<f64>
// VJP-NEXT:    %y = array.neg %x : tensor<f64>
// VJP-NEXT:    %0 = array.neg %cotangent : tensor<f64>
// VJP-NEXT:    func.return %0 : tensor<f64>

// JVP-LABEL: func.func @unused_part(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %a = array.exp %x : tensor<f64>
// JVP-NEXT:    %b = array.sin %a : tensor<f64>
// JVP-NEXT:    %y = array.neg %x : tensor<f64>
// JVP-NEXT:    %0 = array.neg %x_tangent : tensor<f64>
// JVP-NEXT:    func.return %y, %0 : tensor<f64>, tensor<f64>

// -----

// Nor what lies before a step function.

func.func @step(%x: tensor<f64>) -> tensor<f64> {
  %a = array.exp %x : tensor<f64>
  %b = array.floor %a : tensor<f64>
  %y = array.add %x, %b : tensor<f64>
  func.return %y : tensor<f64>
}

// VJP-LABEL: func.func @step(%x: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64>
// VJP-NEXT:    %a = array.exp %x : tensor<f64>
// VJP-NEXT:    %b = array.floor %a : tensor<f64>
// VJP-NEXT:    %y = array.add %x, %b : tensor<f64>
// VJP-NEXT:    func.return %cotangent : tensor<f64>

// JVP-LABEL: func.func @step(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %a = array.exp %x : tensor<f64>
// JVP-NEXT:    %b = array.floor %a : tensor<f64>
// JVP-NEXT:    %y = array.add %x, %b : tensor<f64>
// JVP-NEXT:    func.return %y, %x_tangent : tensor<f64>, tensor<f64>

// -----

// Integers carry no derivative and no cotangent.

func.func @integers(%x: tensor<f64>, %n: tensor<i64>) -> (tensor<f64>, tensor<i64>) {
  %m = array.mul %n, %n : tensor<i64>
  %a = array.convert %m : tensor<i64> -> tensor<f64>
  %y = array.mul %x, %a : tensor<f64>
  func.return %y, %m : tensor<f64>, tensor<i64>
}

// VJP-LABEL: func.func @integers(%x: tensor<f64>, %n: tensor<i64>, %cotangent: tensor<f64>) -> tensor<f64>
// VJP-NEXT:    %m = array.mul %n, %n : tensor<i64>
// VJP-NEXT:    %a = array.convert %m : tensor<i64> -> tensor<f64>
// VJP-NEXT:    %y = array.mul %x, %a : tensor<f64>
// VJP-NEXT:    %0 = array.mul %cotangent, %a : tensor<f64>
// VJP-NEXT:    func.return %0 : tensor<f64>

// JVP-LABEL: func.func @integers(%x: tensor<f64>, %n: tensor<i64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<i64>, tensor<f64>)
// JVP-NEXT:    %m = array.mul %n, %n : tensor<i64>
// JVP-NEXT:    %a = array.convert %m : tensor<i64> -> tensor<f64>
// JVP-NEXT:    %y = array.mul %x, %a : tensor<f64>
// JVP-NEXT:    %0 = array.mul %x_tangent, %a : tensor<f64>
// JVP-NEXT:    func.return %y, %m, %0 : tensor<f64>, tensor<i64>, tensor<f64>

// -----

// The contributions of several uses are summed by a tree.

func.func @shared(%x: tensor<f64>, %w: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
  %a = array.neg %x : tensor<f64>
  func.return %a, %a, %a, %a : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
}

// VJP-LABEL: func.func @shared(%x: tensor<f64>, %w: tensor<f64>, %cotangent: tensor<f64>, %cotangent_1: tensor<f64>, %cotangent_2: tensor<f64>, %cotangent_3: tensor<f64>) -> tensor<f64>
// VJP-NEXT:    %a = array.neg %x : tensor<f64>
// VJP-NEXT:    %0 = array.add %cotangent, %cotangent_1 : tensor<f64>
// VJP-NEXT:    %1 = array.add %cotangent_2, %cotangent_3 : tensor<f64>
// VJP-NEXT:    %2 = array.add %0, %1 : tensor<f64>
// VJP-NEXT:    %3 = array.neg %2 : tensor<f64>
// VJP-NEXT:    func.return %3 : tensor<f64>

// JVP-LABEL: func.func @shared(%x: tensor<f64>, %w: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>)
// JVP-NEXT:    %a = array.neg %x : tensor<f64>
// JVP-NEXT:    %0 = array.neg %x_tangent : tensor<f64>
// JVP-NEXT:    func.return %a, %a, %a, %a, %0, %0, %0, %0 : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
