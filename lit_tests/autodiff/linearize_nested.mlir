// RUN: gradatim-opt %s -p array-linearize | filecheck %s

// The loop back of a loop in a branch comes with the loop forward, run once more. The transpose of
// both runs back what the loop back has popped; nothing linear is carried by the first two loops.

func.func @in_branch(%x: tensor<f64>, %p: tensor<i1>) -> tensor<f64> {
  %y = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %last = array.while carries(%a : tensor<f64>) {
    ^bb0(%b: tensor<f64>):
      %one = array.constant dense<1.0> : tensor<f64>
      %q = array.compare lt %b, %one : tensor<f64> -> tensor<i1>
      array.yield %q : tensor<i1>
    } do {
    ^bb0(%b: tensor<f64>):
      %e = array.exp %b : tensor<f64>
      array.yield %e : tensor<f64>
    }
    array.yield %last : tensor<f64>
  }
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @in_branch.linear(%x: tensor<f64>, %p: tensor<i1>, %tangent: tensor<f64>) -> tensor<f64> {
// CHECK-NEXT:      %0 = array.case index(%p : tensor<i1>) operands(%x, %tangent : tensor<f64>, tensor<f64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<f64>, %cotangent: tensor<f64>):
// CHECK-NEXT:        array.yield %cotangent : tensor<f64>
// CHECK-NEXT:      } or {
// CHECK-NEXT:      ^bb0(%a_1: tensor<f64>, %cotangent_1: tensor<f64>):
// CHECK-NEXT:        %1 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:        %2 = array.tape_new : !array.tape<tensor<f64>>
// CHECK-NEXT:        %last, %3, %4 = array.while carries(%a_1, %1, %2 : tensor<f64>, tensor<i64>, !array.tape<tensor<f64>>) {
// CHECK-NEXT:        ^bb0(%b: tensor<f64>, %5: tensor<i64>, %6: !array.tape<tensor<f64>>):
// CHECK-NEXT:          %one = array.constant dense<1.000000e+00> : tensor<f64>
// CHECK-NEXT:          %q = array.compare lt %b, %one : tensor<f64> -> tensor<i1>
// CHECK-NEXT:          array.yield %q : tensor<i1>
// CHECK-NEXT:        } do {
// CHECK-NEXT:        ^bb0(%b_1: tensor<f64>, %7: tensor<i64>, %8: !array.tape<tensor<f64>>):
// CHECK-NEXT:          %e = array.exp %b_1 : tensor<f64>
// CHECK-NEXT:          %9 = array.tape_push %8, %e : !array.tape<tensor<f64>>, tensor<f64> -> !array.tape<tensor<f64>>
// CHECK-NEXT:          %10 = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:          %11 = array.add %7, %10 : tensor<i64>
// CHECK-NEXT:          array.yield %e, %11, %9 : tensor<f64>, tensor<i64>, !array.tape<tensor<f64>>
// CHECK-NEXT:        }
// CHECK-NEXT:        %5 = array.tape_new : !array.tape<tensor<f64>>
// CHECK-NEXT:        %6, %7, %8, %9 = array.while carries(%3, %4, %1, %5 : tensor<i64>, !array.tape<tensor<f64>>, tensor<i64>, !array.tape<tensor<f64>>) {
// CHECK-NEXT:        ^bb0(%10: tensor<i64>, %11: !array.tape<tensor<f64>>, %12: tensor<i64>, %13: !array.tape<tensor<f64>>):
// CHECK-NEXT:          %14 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:          %15 = array.compare gt %10, %14 : tensor<i64> -> tensor<i1>
// CHECK-NEXT:          array.yield %15 : tensor<i1>
// CHECK-NEXT:        } do {
// CHECK-NEXT:        ^bb0(%16: tensor<i64>, %17: !array.tape<tensor<f64>>, %18: tensor<i64>, %19: !array.tape<tensor<f64>>):
// CHECK-NEXT:          %20, %21 = array.tape_pop %17 : !array.tape<tensor<f64>>, tensor<f64> from !array.tape<tensor<f64>>
// CHECK-NEXT:          %22 = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:          %23 = array.sub %16, %22 : tensor<i64>
// CHECK-NEXT:          %24 = array.tape_push %19, %21 : !array.tape<tensor<f64>>, tensor<f64> -> !array.tape<tensor<f64>>
// CHECK-NEXT:          %25 = array.add %18, %22 : tensor<i64>
// CHECK-NEXT:          array.yield %23, %20, %25, %24 : tensor<i64>, !array.tape<tensor<f64>>, tensor<i64>, !array.tape<tensor<f64>>
// CHECK-NEXT:        }
// CHECK-NEXT:        %10, %11, %12 = array.while carries(%8, %9, %cotangent_1 : tensor<i64>, !array.tape<tensor<f64>>, tensor<f64>) {
// CHECK-NEXT:        ^bb0(%13: tensor<i64>, %14: !array.tape<tensor<f64>>, %15: tensor<f64>):
// CHECK-NEXT:          %16 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:          %17 = array.compare gt %13, %16 : tensor<i64> -> tensor<i1>
// CHECK-NEXT:          array.yield %17 : tensor<i1>
// CHECK-NEXT:        } do {
// CHECK-NEXT:        ^bb0(%18: tensor<i64>, %19: !array.tape<tensor<f64>>, %cotangent_2: tensor<f64>):
// CHECK-NEXT:          %20, %21 = array.tape_pop %19 : !array.tape<tensor<f64>>, tensor<f64> from !array.tape<tensor<f64>>
// CHECK-NEXT:          %22 = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:          %23 = array.sub %18, %22 : tensor<i64>
// CHECK-NEXT:          %24 = array.mul %cotangent_2, %21 : tensor<f64>
// CHECK-NEXT:          array.yield %23, %20, %24 : tensor<i64>, !array.tape<tensor<f64>>, tensor<f64>
// CHECK-NEXT:        }
// CHECK-NEXT:        array.yield %12 : tensor<f64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %0 : tensor<f64>
// CHECK-NEXT:    }
