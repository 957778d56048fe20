// RUN: gradatim-opt %s -p 'array-vmap{size=40},array-canonicalize' --split-input-file | filecheck %s

// Where little is carried, the loop runs over one block of lanes after the other; the last one is
// filled up with the first lanes.

func.func @collatz(%n: tensor<i64>) -> tensor<i64> {
  %zero = array.constant dense<0> : tensor<i64>
  %last, %steps = array.while carries(%n, %zero : tensor<i64>, tensor<i64>) {
  ^bb0(%k: tensor<i64>, %s: tensor<i64>):
    %one = array.constant dense<1> : tensor<i64>
    %p = array.compare gt %k, %one : tensor<i64> -> tensor<i1>
    array.yield %p : tensor<i1>
  } do {
  ^bb0(%k: tensor<i64>, %s: tensor<i64>):
    %one = array.constant dense<1> : tensor<i64>
    %odd = array.and %k, %one : tensor<i64>
    %is_odd = array.compare eq %odd, %one : tensor<i64> -> tensor<i1>
    %three = array.constant dense<3> : tensor<i64>
    %tripled = array.mul %k, %three : tensor<i64>
    %up = array.add %tripled, %one : tensor<i64>
    %down = array.shift_right_arithmetic %k, %one : tensor<i64>
    %next = array.select %is_odd, %up, %down : tensor<i1>, tensor<i64>
    %t = array.add %s, %one : tensor<i64>
    array.yield %next, %t : tensor<i64>, tensor<i64>
  }
  func.return %steps : tensor<i64>
}

// CHECK-LABEL: func.func @collatz(%n: tensor<40xi64>) -> tensor<40xi64> {
// CHECK-NEXT:      %0 = array.slice %n starts [0] limits [8] strides [1] : tensor<40xi64> -> tensor<8xi64>
// CHECK-NEXT:      %1 = array.concatenate %n, %0 dim 0 : tensor<40xi64>, tensor<8xi64> -> tensor<48xi64>
// CHECK-NEXT:      %2 = array.reshape %1 : tensor<48xi64> -> tensor<3x16xi64>
// CHECK-NEXT:      %3 = array.scan length 3 elements(%2 : tensor<3x16xi64>) {
// CHECK-NEXT:      ^bb0(%4: tensor<i64>, %k: tensor<16xi64>):
// CHECK-NEXT:        %s = array.constant dense<0> : tensor<16xi64>
// CHECK-NEXT:        %5 = array.constant dense<1> : tensor<16xi64>
// CHECK-NEXT:        %p = array.compare gt %k, %5 : tensor<16xi64> -> tensor<16xi1>
// CHECK-NEXT:        %6, %7, %8 = array.while carries(%k, %s, %p : tensor<16xi64>, tensor<16xi64>, tensor<16xi1>) {
// CHECK-NEXT:        ^bb0(%9: tensor<16xi64>, %10: tensor<16xi64>, %11: tensor<16xi1>):
// CHECK-NEXT:          %12 = array.reduce or %11 dims [0] : tensor<16xi1> -> tensor<i1>
// CHECK-NEXT:          array.yield %12 : tensor<i1>
// CHECK-NEXT:        } do {
// CHECK-NEXT:        ^bb0(%k_1: tensor<16xi64>, %s_1: tensor<16xi64>, %13: tensor<16xi1>):
// CHECK-NEXT:          %14 = array.constant dense<1> : tensor<16xi64>
// CHECK-NEXT:          %odd = array.and %k_1, %14 : tensor<16xi64>
// CHECK-NEXT:          %is_odd = array.compare eq %odd, %14 : tensor<16xi64> -> tensor<16xi1>
// CHECK-NEXT:          %15 = array.constant dense<3> : tensor<16xi64>
// CHECK-NEXT:          %tripled = array.mul %k_1, %15 : tensor<16xi64>
// CHECK-NEXT:          %up = array.add %tripled, %14 : tensor<16xi64>
// CHECK-NEXT:          %down = array.shift_right_arithmetic %k_1, %14 : tensor<16xi64>
// CHECK-NEXT:          %next = array.select %is_odd, %up, %down : tensor<16xi1>, tensor<16xi64>
// CHECK-NEXT:          %t = array.add %s_1, %14 : tensor<16xi64>
// CHECK-NEXT:          %16 = array.select %13, %next, %k_1 : tensor<16xi1>, tensor<16xi64>
// CHECK-NEXT:          %17 = array.select %13, %t, %s_1 : tensor<16xi1>, tensor<16xi64>
// CHECK-NEXT:          %p_1 = array.compare gt %16, %14 : tensor<16xi64> -> tensor<16xi1>
// CHECK-NEXT:          array.yield %16, %17, %p_1 : tensor<16xi64>, tensor<16xi64>, tensor<16xi1>
// CHECK-NEXT:        }
// CHECK-NEXT:        array.yield %7 : tensor<16xi64>
// CHECK-NEXT:      }
// CHECK-NEXT:      %4 = array.reshape %3 : tensor<3x16xi64> -> tensor<48xi64>
// CHECK-NEXT:      %steps = array.slice %4 starts [0] limits [40] strides [1] : tensor<48xi64> -> tensor<40xi64>
// CHECK-NEXT:      func.return %steps : tensor<40xi64>

// -----

// Dear branches are run lane by lane.

func.func @lane_by_lane(%p: tensor<i1>, %x: tensor<200x200xf64>) -> tensor<200x200xf64> {
  %y = array.case index(%p : tensor<i1>) operands(%x : tensor<200x200xf64>) {
  ^bb0(%a: tensor<200x200xf64>):
    array.yield %a : tensor<200x200xf64>
  } or {
  ^bb0(%a: tensor<200x200xf64>):
    %m = array.dot_general %a, %a batch [] x [] contract [1] x [0] : tensor<200x200xf64>, tensor<200x200xf64> -> tensor<200x200xf64>
    array.yield %m : tensor<200x200xf64>
  }
  func.return %y : tensor<200x200xf64>
}

// CHECK-LABEL: func.func @lane_by_lane(%p: tensor<40xi1>, %x: tensor<40x200x200xf64>) -> tensor<40x200x200xf64> {
// CHECK-NEXT:      %y = array.scan length 40 elements(%p, %x : tensor<40xi1>, tensor<40x200x200xf64>) {
// CHECK-NEXT:      ^bb0(%0: tensor<i64>, %1: tensor<i1>, %2: tensor<200x200xf64>):
// CHECK-NEXT:        %3 = array.case index(%1 : tensor<i1>) operands(%2 : tensor<200x200xf64>) {
// CHECK-NEXT:        ^bb0(%a: tensor<200x200xf64>):
// CHECK-NEXT:          array.yield %a : tensor<200x200xf64>
// CHECK-NEXT:        } or {
// CHECK-NEXT:        ^bb0(%a_1: tensor<200x200xf64>):
// CHECK-NEXT:          %m = array.dot_general %a_1, %a_1 batch [] x [] contract [1] x [0] : tensor<200x200xf64>, tensor<200x200xf64> -> tensor<200x200xf64>
// CHECK-NEXT:          array.yield %m : tensor<200x200xf64>
// CHECK-NEXT:        }
// CHECK-NEXT:        array.yield %3 : tensor<200x200xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %y : tensor<40x200x200xf64>
