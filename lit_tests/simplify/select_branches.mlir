// RUN: gradatim-opt %s -p 'array-canonicalize{select-branches=true}' --split-input-file | filecheck %s

// Branches that take less time than a jump to one of them are all computed, and one is selected.

func.func @small(%x: tensor<4xf64>, %p: tensor<i1>) -> tensor<4xf64> {
  %y = array.case index(%p : tensor<i1>) operands(%x : tensor<4xf64>) {
  ^bb0(%a: tensor<4xf64>):
    array.yield %a : tensor<4xf64>
  } or {
  ^bb0(%a: tensor<4xf64>):
    %m = array.mul %a, %a : tensor<4xf64>
    array.yield %m : tensor<4xf64>
  }
  func.return %y : tensor<4xf64>
}

// CHECK-LABEL: func.func @small(%x: tensor<4xf64>, %p: tensor<i1>) -> tensor<4xf64> {
// CHECK-NEXT:      %m = array.mul %x, %x : tensor<4xf64>
// CHECK-NEXT:      %0 = array.broadcast %p dims [] : tensor<i1> -> tensor<4xi1>
// CHECK-NEXT:      %y = array.select %0, %m, %x : tensor<4xi1>, tensor<4xf64>
// CHECK-NEXT:      func.return %y : tensor<4xf64>

// -----

// Numbers beyond the branches choose the first or the last one.

func.func @numbered(%x: tensor<f64>, %n: tensor<i32>) -> tensor<f64> {
  %y = array.case index(%n : tensor<i32>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %m = array.neg %a : tensor<f64>
    array.yield %m : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %m = array.mul %a, %a : tensor<f64>
    array.yield %m : tensor<f64>
  }
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @numbered(%x: tensor<f64>, %n: tensor<i32>) -> tensor<f64> {
// CHECK-NEXT:      %m = array.neg %x : tensor<f64>
// CHECK-NEXT:      %m_1 = array.mul %x, %x : tensor<f64>
// CHECK-NEXT:      %0 = array.constant dense<1> : tensor<i32>
// CHECK-NEXT:      %1 = array.compare le %n, %0 : tensor<i32> -> tensor<i1>
// CHECK-NEXT:      %2 = array.select %1, %m, %m_1 : tensor<i1>, tensor<f64>
// CHECK-NEXT:      %3 = array.constant dense<0> : tensor<i32>
// CHECK-NEXT:      %4 = array.compare le %n, %3 : tensor<i32> -> tensor<i1>
// CHECK-NEXT:      %y = array.select %4, %x, %2 : tensor<i1>, tensor<f64>
// CHECK-NEXT:      func.return %y : tensor<f64>

// -----

// Others stay, and so do branches with loops.

func.func @large(%x: tensor<10000xf64>, %p: tensor<i1>) -> tensor<10000xf64> {
  %y = array.case index(%p : tensor<i1>) operands(%x : tensor<10000xf64>) {
  ^bb0(%a: tensor<10000xf64>):
    array.yield %a : tensor<10000xf64>
  } or {
  ^bb0(%a: tensor<10000xf64>):
    %m = array.exp %a : tensor<10000xf64>
    array.yield %m : tensor<10000xf64>
  }
  func.return %y : tensor<10000xf64>
}

// CHECK-LABEL: func.func @large(%x: tensor<10000xf64>, %p: tensor<i1>) -> tensor<10000xf64> {
// CHECK-NEXT:      %y = array.case index(%p : tensor<i1>) operands(%x : tensor<10000xf64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<10000xf64>):
// CHECK-NEXT:        array.yield %a : tensor<10000xf64>
// CHECK-NEXT:      } or {
// CHECK-NEXT:      ^bb0(%a_1: tensor<10000xf64>):
// CHECK-NEXT:        %m = array.exp %a_1 : tensor<10000xf64>
// CHECK-NEXT:        array.yield %m : tensor<10000xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %y : tensor<10000xf64>
