// RUN: gradatim-opt %s -p 'array-jvp{argnums=0,1}' --split-input-file | filecheck %s --check-prefix JVP
// RUN: gradatim-opt %s -p 'array-vjp{argnums=0,1 value=false},array-canonicalize' --split-input-file | filecheck %s --check-prefix VJP

// A scan forward stacks what the scan back needs, which sums the cotangents of its consts in a carry.
// The index and the elements are there anyway; sin(w) is the same in all steps and stays outside.

func.func @scan(%x: tensor<f64>, %w: tensor<f64>, %e: tensor<5xf64>) -> (tensor<f64>, tensor<5xf64>) {
  %last, %ys = array.scan length 5 consts(%w : tensor<f64>) carries(%x : tensor<f64>) elements(%e : tensor<5xf64>) {
  ^bb0(%i: tensor<i64>, %c: tensor<f64>, %a: tensor<f64>, %p: tensor<f64>):
    %s = array.sin %c : tensor<f64>
    %m = array.mul %a, %s : tensor<f64>
    %n = array.mul %m, %p : tensor<f64>
    %t = array.tanh %n : tensor<f64>
    array.yield %t, %n : tensor<f64>, tensor<f64>
  }
  func.return %last, %ys : tensor<f64>, tensor<5xf64>
}

// JVP-LABEL: func.func @scan(%x: tensor<f64>, %w: tensor<f64>, %e: tensor<5xf64>, %x_tangent: tensor<f64>, %w_tangent: tensor<f64>) -> (tensor<f64>, tensor<5xf64>, tensor<f64>, tensor<5xf64>) {
// JVP-NEXT:      %s = array.sin %w : tensor<f64>
// JVP-NEXT:      %0 = array.cos %w : tensor<f64>
// JVP-NEXT:      %1 = array.mul %w_tangent, %0 : tensor<f64>
// JVP-NEXT:      %last, %2, %ys, %3 = array.scan length 5 consts(%s, %1 : tensor<f64>, tensor<f64>) carries(%x, %x_tangent : tensor<f64>, tensor<f64>) elements(%e : tensor<5xf64>) {
// JVP-NEXT:      ^bb0(%i: tensor<i64>, %s_1: tensor<f64>, %s_tangent: tensor<f64>, %a: tensor<f64>, %a_tangent: tensor<f64>, %p: tensor<f64>):
// JVP-NEXT:        %m = array.mul %a, %s_1 : tensor<f64>
// JVP-NEXT:        %n = array.mul %m, %p : tensor<f64>
// JVP-NEXT:        %t = array.tanh %n : tensor<f64>
// JVP-NEXT:        %4 = array.mul %a_tangent, %s_1 : tensor<f64>
// JVP-NEXT:        %5 = array.mul %s_tangent, %a : tensor<f64>
// JVP-NEXT:        %6 = array.add %4, %5 : tensor<f64>
// JVP-NEXT:        %7 = array.mul %6, %p : tensor<f64>
// JVP-NEXT:        %8 = array.mul %t, %t : tensor<f64>
// JVP-NEXT:        %9 = array.constant dense<1.000000e+00> : tensor<f64>
// JVP-NEXT:        %10 = array.sub %9, %8 : tensor<f64>
// JVP-NEXT:        %11 = array.mul %7, %10 : tensor<f64>
// JVP-NEXT:        array.yield %t, %11, %n, %7 : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
// JVP-NEXT:      }
// JVP-NEXT:      func.return %last, %ys, %2, %3 : tensor<f64>, tensor<5xf64>, tensor<f64>, tensor<5xf64>

// VJP-LABEL: func.func @scan(%x: tensor<f64>, %w: tensor<f64>, %e: tensor<5xf64>, %cotangent: tensor<f64>, %cotangent_1: tensor<5xf64>) -> (tensor<f64>, tensor<f64>) {
// VJP-NEXT:      %s = array.sin %w : tensor<f64>
// VJP-NEXT:      %last, %0, %1 = array.scan length 5 consts(%s : tensor<f64>) carries(%x : tensor<f64>) elements(%e : tensor<5xf64>) {
// VJP-NEXT:      ^bb0(%i: tensor<i64>, %s_1: tensor<f64>, %a: tensor<f64>, %p: tensor<f64>):
// VJP-NEXT:        %m = array.mul %a, %s_1 : tensor<f64>
// VJP-NEXT:        %n = array.mul %m, %p : tensor<f64>
// VJP-NEXT:        %t = array.tanh %n : tensor<f64>
// VJP-NEXT:        %2 = array.mul %t, %t : tensor<f64>
// VJP-NEXT:        %3 = array.constant dense<1.000000e+00> : tensor<f64>
// VJP-NEXT:        %4 = array.sub %3, %2 : tensor<f64>
// VJP-NEXT:        array.yield %t, %a, %4 : tensor<f64>, tensor<f64>, tensor<f64>
// VJP-NEXT:      }
// VJP-NEXT:      %2 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:      %3, %4 = array.scan length 5 reverse consts(%s : tensor<f64>) carries(%cotangent, %2 : tensor<f64>, tensor<f64>) elements(%e, %0, %1, %cotangent_1 : tensor<5xf64>, tensor<5xf64>, tensor<5xf64>, tensor<5xf64>) {
// VJP-NEXT:      ^bb0(%i: tensor<i64>, %s_1: tensor<f64>, %cotangent_2: tensor<f64>, %5: tensor<f64>, %p: tensor<f64>, %a: tensor<f64>, %6: tensor<f64>, %cotangent_3: tensor<f64>):
// VJP-NEXT:        %7 = array.mul %cotangent_2, %6 : tensor<f64>
// VJP-NEXT:        %8 = array.add %cotangent_3, %7 : tensor<f64>
// VJP-NEXT:        %9 = array.mul %8, %p : tensor<f64>
// VJP-NEXT:        %10 = array.mul %9, %s_1 : tensor<f64>
// VJP-NEXT:        %11 = array.mul %9, %a : tensor<f64>
// VJP-NEXT:        %12 = array.add %5, %11 : tensor<f64>
// VJP-NEXT:        array.yield %10, %12 : tensor<f64>, tensor<f64>
// VJP-NEXT:      }
// VJP-NEXT:      %5 = array.cos %w : tensor<f64>
// VJP-NEXT:      %6 = array.mul %4, %5 : tensor<f64>
// VJP-NEXT:      func.return %3, %6 : tensor<f64>, tensor<f64>

// -----

// A carry without derivative has no tangent; one that is only added to needs nothing kept.

func.func @inactive(%x: tensor<f64>, %w: tensor<f64>, %n: tensor<i64>) -> tensor<f64> {
  %m, %last = array.scan length 3 reverse consts(%w : tensor<f64>) carries(%n, %x : tensor<i64>, tensor<f64>) {
  ^bb0(%i: tensor<i64>, %c: tensor<f64>, %k: tensor<i64>, %a: tensor<f64>):
    %l = array.add %k, %i : tensor<i64>
    %f = array.convert %k : tensor<i64> -> tensor<f64>
    %b = array.mul %f, %c : tensor<f64>
    %d = array.add %a, %b : tensor<f64>
    array.yield %l, %d : tensor<i64>, tensor<f64>
  }
  func.return %last : tensor<f64>
}

// JVP-LABEL: func.func @inactive(%x: tensor<f64>, %w: tensor<f64>, %n: tensor<i64>, %x_tangent: tensor<f64>, %w_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %m, %last, %0 = array.scan length 3 reverse consts(%w, %w_tangent : tensor<f64>, tensor<f64>) carries(%n, %x, %x_tangent : tensor<i64>, tensor<f64>, tensor<f64>) {
// JVP-NEXT:      ^bb0(%i: tensor<i64>, %c: tensor<f64>, %c_tangent: tensor<f64>, %k: tensor<i64>, %a: tensor<f64>, %a_tangent: tensor<f64>):
// JVP-NEXT:        %l = array.add %k, %i : tensor<i64>
// JVP-NEXT:        %f = array.convert %k : tensor<i64> -> tensor<f64>
// JVP-NEXT:        %b = array.mul %f, %c : tensor<f64>
// JVP-NEXT:        %d = array.add %a, %b : tensor<f64>
// JVP-NEXT:        %1 = array.mul %c_tangent, %f : tensor<f64>
// JVP-NEXT:        %2 = array.add %a_tangent, %1 : tensor<f64>
// JVP-NEXT:        array.yield %l, %d, %2 : tensor<i64>, tensor<f64>, tensor<f64>
// JVP-NEXT:      }
// JVP-NEXT:      func.return %last, %0 : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @inactive(%x: tensor<f64>, %w: tensor<f64>, %n: tensor<i64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// VJP-NEXT:      %m, %0 = array.scan length 3 reverse carries(%n : tensor<i64>) {
// VJP-NEXT:      ^bb0(%i: tensor<i64>, %k: tensor<i64>):
// VJP-NEXT:        %l = array.add %k, %i : tensor<i64>
// VJP-NEXT:        %f = array.convert %k : tensor<i64> -> tensor<f64>
// VJP-NEXT:        array.yield %l, %f : tensor<i64>, tensor<f64>
// VJP-NEXT:      }
// VJP-NEXT:      %1 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:      %2 = array.scan length 3 consts(%cotangent : tensor<f64>) carries(%1 : tensor<f64>) elements(%0 : tensor<3xf64>) {
// VJP-NEXT:      ^bb0(%i: tensor<i64>, %cotangent_1: tensor<f64>, %3: tensor<f64>, %f: tensor<f64>):
// VJP-NEXT:        %4 = array.mul %cotangent_1, %f : tensor<f64>
// VJP-NEXT:        %5 = array.add %3, %4 : tensor<f64>
// VJP-NEXT:        array.yield %5 : tensor<f64>
// VJP-NEXT:      }
// VJP-NEXT:      func.return %cotangent, %2 : tensor<f64>, tensor<f64>

// -----

// A while counts its steps and records on a tape; the loop back pops.

func.func @while(%x: tensor<f64>, %w: tensor<f64>) -> tensor<f64> {
  %last = array.while consts(%w : tensor<f64>) carries(%x : tensor<f64>) {
  ^bb0(%c: tensor<f64>, %a: tensor<f64>):
    %p = array.compare lt %a, %c : tensor<f64> -> tensor<i1>
    array.yield %p : tensor<i1>
  } do {
  ^bb0(%c: tensor<f64>, %a: tensor<f64>):
    %b = array.mul %a, %c : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %last : tensor<f64>
}

// JVP-LABEL: func.func @while(%x: tensor<f64>, %w: tensor<f64>, %x_tangent: tensor<f64>, %w_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %last, %0 = array.while consts(%w, %w_tangent : tensor<f64>, tensor<f64>) carries(%x, %x_tangent : tensor<f64>, tensor<f64>) {
// JVP-NEXT:      ^bb0(%c: tensor<f64>, %1: tensor<f64>, %a: tensor<f64>, %2: tensor<f64>):
// JVP-NEXT:        %p = array.compare lt %a, %c : tensor<f64> -> tensor<i1>
// JVP-NEXT:        array.yield %p : tensor<i1>
// JVP-NEXT:      } do {
// JVP-NEXT:      ^bb0(%c_1: tensor<f64>, %c_tangent: tensor<f64>, %a_1: tensor<f64>, %a_tangent: tensor<f64>):
// JVP-NEXT:        %b = array.mul %a_1, %c_1 : tensor<f64>
// JVP-NEXT:        %3 = array.mul %a_tangent, %c_1 : tensor<f64>
// JVP-NEXT:        %4 = array.mul %c_tangent, %a_1 : tensor<f64>
// JVP-NEXT:        %5 = array.add %3, %4 : tensor<f64>
// JVP-NEXT:        array.yield %b, %5 : tensor<f64>, tensor<f64>
// JVP-NEXT:      }
// JVP-NEXT:      func.return %last, %0 : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @while(%x: tensor<f64>, %w: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// VJP-NEXT:      %0 = array.constant dense<0> : tensor<i64>
// VJP-NEXT:      %1 = array.tape_new : !array.tape<tensor<f64>>
// VJP-NEXT:      %last, %2, %3 = array.while consts(%w : tensor<f64>) carries(%x, %0, %1 : tensor<f64>, tensor<i64>, !array.tape<tensor<f64>>) {
// VJP-NEXT:      ^bb0(%c: tensor<f64>, %a: tensor<f64>, %4: tensor<i64>, %5: !array.tape<tensor<f64>>):
// VJP-NEXT:        %p = array.compare lt %a, %c : tensor<f64> -> tensor<i1>
// VJP-NEXT:        array.yield %p : tensor<i1>
// VJP-NEXT:      } do {
// VJP-NEXT:      ^bb0(%c_1: tensor<f64>, %a_1: tensor<f64>, %6: tensor<i64>, %7: !array.tape<tensor<f64>>):
// VJP-NEXT:        %b = array.mul %a_1, %c_1 : tensor<f64>
// VJP-NEXT:        %8 = array.tape_push %7, %a_1 : !array.tape<tensor<f64>>, tensor<f64> -> !array.tape<tensor<f64>>
// VJP-NEXT:        %9 = array.constant dense<1> : tensor<i64>
// VJP-NEXT:        %10 = array.add %6, %9 : tensor<i64>
// VJP-NEXT:        array.yield %b, %10, %8 : tensor<f64>, tensor<i64>, !array.tape<tensor<f64>>
// VJP-NEXT:      }
// VJP-NEXT:      %4 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:      %5, %6, %7, %8 = array.while consts(%w : tensor<f64>) carries(%2, %3, %cotangent, %4 : tensor<i64>, !array.tape<tensor<f64>>, tensor<f64>, tensor<f64>) {
// VJP-NEXT:      ^bb0(%9: tensor<f64>, %10: tensor<i64>, %11: !array.tape<tensor<f64>>, %12: tensor<f64>, %13: tensor<f64>):
// VJP-NEXT:        %14 = array.constant dense<0> : tensor<i64>
// VJP-NEXT:        %15 = array.compare gt %10, %14 : tensor<i64> -> tensor<i1>
// VJP-NEXT:        array.yield %15 : tensor<i1>
// VJP-NEXT:      } do {
// VJP-NEXT:      ^bb0(%c: tensor<f64>, %16: tensor<i64>, %17: !array.tape<tensor<f64>>, %cotangent_1: tensor<f64>, %18: tensor<f64>):
// VJP-NEXT:        %19, %20 = array.tape_pop %17 : !array.tape<tensor<f64>>, tensor<f64> from !array.tape<tensor<f64>>
// VJP-NEXT:        %21 = array.constant dense<1> : tensor<i64>
// VJP-NEXT:        %22 = array.sub %16, %21 : tensor<i64>
// VJP-NEXT:        %23 = array.mul %cotangent_1, %c : tensor<f64>
// VJP-NEXT:        %24 = array.mul %cotangent_1, %20 : tensor<f64>
// VJP-NEXT:        %25 = array.add %18, %24 : tensor<f64>
// VJP-NEXT:        array.yield %22, %19, %23, %25 : tensor<i64>, !array.tape<tensor<f64>>, tensor<f64>, tensor<f64>
// VJP-NEXT:      }
// VJP-NEXT:      func.return %7, %8 : tensor<f64>, tensor<f64>

// -----

// Branches share slots for what their derivatives need, here exp and sin the first one; operands are
// there anyway.

func.func @case(%x: tensor<f64>, %w: tensor<f64>, %p: tensor<i1>) -> tensor<f64> {
  %y = array.case index(%p : tensor<i1>) operands(%x, %w : tensor<f64>, tensor<f64>) {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %e = array.exp %a : tensor<f64>
    array.yield %e : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %s = array.sin %b : tensor<f64>
    %m = array.mul %a, %s : tensor<f64>
    array.yield %m : tensor<f64>
  }
  func.return %y : tensor<f64>
}

// JVP-LABEL: func.func @case(%x: tensor<f64>, %w: tensor<f64>, %p: tensor<i1>, %x_tangent: tensor<f64>, %w_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// JVP-NEXT:      %y, %0 = array.case index(%p : tensor<i1>) operands(%x, %w, %x_tangent, %w_tangent : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
// JVP-NEXT:      ^bb0(%a: tensor<f64>, %b: tensor<f64>, %a_tangent: tensor<f64>, %b_tangent: tensor<f64>):
// JVP-NEXT:        %e = array.exp %a : tensor<f64>
// JVP-NEXT:        %1 = array.mul %a_tangent, %e : tensor<f64>
// JVP-NEXT:        array.yield %e, %1 : tensor<f64>, tensor<f64>
// JVP-NEXT:      } or {
// JVP-NEXT:      ^bb0(%a_1: tensor<f64>, %b_1: tensor<f64>, %a_tangent_1: tensor<f64>, %b_tangent_1: tensor<f64>):
// JVP-NEXT:        %s = array.sin %b_1 : tensor<f64>
// JVP-NEXT:        %m = array.mul %a_1, %s : tensor<f64>
// JVP-NEXT:        %2 = array.cos %b_1 : tensor<f64>
// JVP-NEXT:        %3 = array.mul %b_tangent_1, %2 : tensor<f64>
// JVP-NEXT:        %4 = array.mul %a_tangent_1, %s : tensor<f64>
// JVP-NEXT:        %5 = array.mul %3, %a_1 : tensor<f64>
// JVP-NEXT:        %6 = array.add %4, %5 : tensor<f64>
// JVP-NEXT:        array.yield %m, %6 : tensor<f64>, tensor<f64>
// JVP-NEXT:      }
// JVP-NEXT:      func.return %y, %0 : tensor<f64>, tensor<f64>

// VJP-LABEL: func.func @case(%x: tensor<f64>, %w: tensor<f64>, %p: tensor<i1>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// VJP-NEXT:      %0, %1 = array.case index(%p : tensor<i1>) operands(%x, %w : tensor<f64>, tensor<f64>) {
// VJP-NEXT:      ^bb0(%a: tensor<f64>, %b: tensor<f64>):
// VJP-NEXT:        %e = array.exp %a : tensor<f64>
// VJP-NEXT:        %2 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:        array.yield %e, %2 : tensor<f64>, tensor<f64>
// VJP-NEXT:      } or {
// VJP-NEXT:      ^bb0(%a_1: tensor<f64>, %b_1: tensor<f64>):
// VJP-NEXT:        %s = array.sin %b_1 : tensor<f64>
// VJP-NEXT:        %3 = array.cos %b_1 : tensor<f64>
// VJP-NEXT:        array.yield %s, %3 : tensor<f64>, tensor<f64>
// VJP-NEXT:      }
// VJP-NEXT:      %2, %3 = array.case index(%p : tensor<i1>) operands(%x, %0, %1, %cotangent : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
// VJP-NEXT:      ^bb0(%a: tensor<f64>, %e: tensor<f64>, %4: tensor<f64>, %cotangent_1: tensor<f64>):
// VJP-NEXT:        %5 = array.mul %cotangent_1, %e : tensor<f64>
// VJP-NEXT:        %6 = array.constant dense<0.000000e+00> : tensor<f64>
// VJP-NEXT:        array.yield %5, %6 : tensor<f64>, tensor<f64>
// VJP-NEXT:      } or {
// VJP-NEXT:      ^bb0(%a_1: tensor<f64>, %s: tensor<f64>, %7: tensor<f64>, %cotangent_2: tensor<f64>):
// VJP-NEXT:        %8 = array.mul %cotangent_2, %s : tensor<f64>
// VJP-NEXT:        %9 = array.mul %cotangent_2, %a_1 : tensor<f64>
// VJP-NEXT:        %10 = array.mul %9, %7 : tensor<f64>
// VJP-NEXT:        array.yield %8, %10 : tensor<f64>, tensor<f64>
// VJP-NEXT:      }
// VJP-NEXT:      func.return %2, %3 : tensor<f64>, tensor<f64>

// -----

// Of values of about one size the scan keeps what comes in, which no kernel has to write.

func.func @keeps_what_comes_in(%x: tensor<32xf64>, %w: tensor<32xf64>) -> tensor<32xf64> {
  %start = array.add %x, %w : tensor<32xf64>
  %y = array.scan length 5 carries(%start : tensor<32xf64>) {
  ^bb0(%i: tensor<i64>, %c: tensor<32xf64>):
    %zero = array.constant dense<0.0> : tensor<f64>
    %s = array.slice %c starts [1] limits [31] strides [1] : tensor<32xf64> -> tensor<30xf64>
    %q = array.mul %s, %s : tensor<30xf64>
    %p = array.pad %q, %zero low [1] high [1] interior [0] : tensor<30xf64>, tensor<f64> -> tensor<32xf64>
    array.yield %p : tensor<32xf64>
  }
  func.return %y : tensor<32xf64>
}

// VJP-LABEL: func.func @keeps_what_comes_in
// VJP:           array.yield %p, %c : tensor<32xf64>, tensor<32xf64>
// VJP:         array.scan length 5 reverse
