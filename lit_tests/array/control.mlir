// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @case
// CHECK-NEXT:    %r = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
// CHECK-NEXT:    ^bb0(%a: tensor<f64>):
// CHECK-NEXT:      array.yield %a : tensor<f64>
// CHECK-NEXT:    } or {
// CHECK:           array.yield %n : tensor<f64>
// CHECK-NEXT:    }
// GENERIC: "array.case"(%p, %x) <{operandSegmentSizes = array<i32: 1, 1>}> ({
func.func @case(%p: tensor<i1>, %x: tensor<f64>) -> tensor<f64> {
  %r = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%b: tensor<f64>):
    %n = array.neg %b : tensor<f64>
    array.yield %n : tensor<f64>
  }
  func.return %r : tensor<f64>
}

// Branches may yield nothing of what they take, and take nothing.
// CHECK-LABEL: func.func @switch
// CHECK-NEXT:    %r = array.case index(%i : tensor<i32>) {
// CHECK:         } or {
// CHECK:         } or {
func.func @switch(%i: tensor<i32>) -> tensor<f32> {
  %r = array.case index(%i : tensor<i32>) {
    %a = array.constant dense<1.0> : tensor<f32>
    array.yield %a : tensor<f32>
  } or {
    %b = array.constant dense<2.0> : tensor<f32>
    array.yield %b : tensor<f32>
  } or {
    %c = array.constant dense<3.0> : tensor<f32>
    array.yield %c : tensor<f32>
  }
  func.return %r : tensor<f32>
}

// CHECK-LABEL: func.func @scan
// CHECK-NEXT:    %sum, %sums = array.scan length 3 reverse unroll 2 consts(%c : tensor<f64>) carries(%s : tensor<f64>) elements(%x : tensor<3xf64>) {
// CHECK-NEXT:    ^bb0(%i: tensor<i64>, %k: tensor<f64>, %t: tensor<f64>, %e: tensor<f64>):
// GENERIC: "array.scan"(%c, %s, %x) <{length = 3 : i64, reverse, unroll = 2 : i64, operandSegmentSizes = array<i32: 1, 1, 1>}>
func.func @scan(%c: tensor<f64>, %s: tensor<f64>, %x: tensor<3xf64>) -> (tensor<f64>, tensor<3xf64>) {
  %sum, %sums = array.scan length 3 reverse unroll 2 consts(%c : tensor<f64>) carries(%s : tensor<f64>) elements(%x : tensor<3xf64>) {
  ^bb0(%i: tensor<i64>, %k: tensor<f64>, %t: tensor<f64>, %e: tensor<f64>):
    %f = array.mul %k, %e : tensor<f64>
    %u = array.add %t, %f : tensor<f64>
    array.yield %u, %f : tensor<f64>, tensor<f64>
  }
  func.return %sum, %sums : tensor<f64>, tensor<3xf64>
}

// CHECK-LABEL: func.func @while
// CHECK-NEXT:    %n = array.while consts(%end : tensor<i64>) carries(%start : tensor<i64>) {
// CHECK:           array.yield %more : tensor<i1>
// CHECK-NEXT:    } do {
// CHECK:           array.yield %next : tensor<i64>
func.func @while(%end: tensor<i64>, %start: tensor<i64>) -> tensor<i64> {
  %n = array.while consts(%end : tensor<i64>) carries(%start : tensor<i64>) {
  ^bb0(%e: tensor<i64>, %i: tensor<i64>):
    %more = array.compare lt %i, %e : tensor<i64> -> tensor<i1>
    array.yield %more : tensor<i1>
  } do {
  ^bb0(%e: tensor<i64>, %i: tensor<i64>):
    %one = array.constant dense<1> : tensor<i64>
    %next = array.add %i, %one : tensor<i64>
    array.yield %next : tensor<i64>
  }
  func.return %n : tensor<i64>
}

// CHECK-LABEL: func.func @remat
// CHECK-NEXT:    %y = array.remat policy "names:s" operands(%x : tensor<f64>) {
// CHECK:           %m = array.name "s" %s : tensor<f64>
// CHECK:         %b0, %b1 = array.barrier %x, %y : tensor<f64>, tensor<f64>
func.func @remat(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y = array.remat policy "names:s" operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    %m = array.name "s" %s : tensor<f64> -> tensor<f64>
    array.yield %m : tensor<f64>
  }
  %b0, %b1 = array.barrier %x, %y : tensor<f64>, tensor<f64> -> tensor<f64>, tensor<f64>
  func.return %b0, %b1 : tensor<f64>, tensor<f64>
}

// A rule that is not given has no region.
// CHECK-LABEL: func.func @custom
// CHECK-NEXT:    %y = array.custom_derivative undifferentiated 1 operands(%k, %x : tensor<f64>, tensor<f64>) {
// CHECK:         } jvp {
// CHECK-NOT:     forward
// CHECK:         %z = array.custom_derivative operands(%x : tensor<f64>) {
// CHECK-NOT:     jvp
// CHECK:         } forward {
// CHECK:         } backward {
func.func @custom(%k: tensor<f64>, %x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %y = array.custom_derivative undifferentiated 1 operands(%k, %x : tensor<f64>, tensor<f64>) {
  ^bb0(%c: tensor<f64>, %a: tensor<f64>):
    array.yield %a : tensor<f64>
  } jvp {
  ^bb0(%c: tensor<f64>, %a: tensor<f64>, %t: tensor<f64>):
    array.yield %a, %t : tensor<f64>, tensor<f64>
  }
  %z = array.custom_derivative operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } forward {
  ^bb0(%a: tensor<f64>):
    array.yield %a, %a : tensor<f64>, tensor<f64>
  } backward {
  ^bb0(%a: tensor<f64>, %g: tensor<f64>):
    array.yield %g : tensor<f64>
  }
  func.return %y, %z : tensor<f64>, tensor<f64>
}

// CHECK-LABEL: func.func @tape
// CHECK-NEXT:    %t0 = array.tape_new : !array.tape<tensor<f64>, tensor<3xf32>>
// CHECK-NEXT:    %t1 = array.tape_push %t0, %x, %v : !array.tape<tensor<f64>, tensor<3xf32>>, tensor<f64>, tensor<3xf32>
// CHECK-NEXT:    %t2, %a, %b = array.tape_pop %t1 : !array.tape<tensor<f64>, tensor<3xf32>>, tensor<f64>, tensor<3xf32>
func.func @tape(%x: tensor<f64>, %v: tensor<3xf32>) -> (tensor<f64>, tensor<3xf32>) {
  %t0 = array.tape_new : !array.tape<tensor<f64>, tensor<3xf32>>
  %t1 = array.tape_push %t0, %x, %v : !array.tape<tensor<f64>, tensor<3xf32>>, tensor<f64>, tensor<3xf32> -> !array.tape<tensor<f64>, tensor<3xf32>>
  %t2, %a, %b = array.tape_pop %t1 : !array.tape<tensor<f64>, tensor<3xf32>>, tensor<f64>, tensor<3xf32> from !array.tape<tensor<f64>, tensor<3xf32>>
  func.return %a, %b : tensor<f64>, tensor<3xf32>
}
