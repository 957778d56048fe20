// RUN: gradatim-opt %s -p array-canonicalize --split-input-file | filecheck %s

// What costs nothing is made inside, what is taken twice is taken once, what is not read is not
// taken.

func.func @operands(%x: tensor<f64>, %w: tensor<f64>, %e: tensor<9xf64>) -> tensor<f64> {
  %two = array.constant dense<2.0> : tensor<f64>
  %ws = array.broadcast %w dims [] : tensor<f64> -> tensor<9xf64>
  %ns = array.iota dim 0 : tensor<9xf64>
  %last = array.scan length 9 consts(%two, %w, %w : tensor<f64>, tensor<f64>, tensor<f64>) carries(%x : tensor<f64>) elements(%ws, %ns, %e : tensor<9xf64>, tensor<9xf64>, tensor<9xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %b: tensor<f64>, %c: tensor<f64>, %y: tensor<f64>, %p: tensor<f64>, %q: tensor<f64>, %r: tensor<f64>):
    %d = array.mul %y, %a : tensor<f64>
    %f = array.mul %b, %c : tensor<f64>
    %g = array.sub %p, %q : tensor<f64>
    %h = array.add %d, %g : tensor<f64>
    %k = array.mul %h, %f : tensor<f64>
    array.yield %k : tensor<f64>
  }
  func.return %last : tensor<f64>
}

// CHECK-LABEL: func.func @operands(%x: tensor<f64>, %w: tensor<f64>, %e: tensor<9xf64>) -> tensor<f64> {
// CHECK-NEXT:      %f = array.mul %w, %w : tensor<f64>
// CHECK-NEXT:      %last = array.scan length 9 consts(%w, %f : tensor<f64>, tensor<f64>) carries(%x : tensor<f64>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %b: tensor<f64>, %f_1: tensor<f64>, %y: tensor<f64>):
// CHECK-NEXT:        %q = array.convert %i : tensor<i64> -> tensor<f64>
// CHECK-NEXT:        %a = array.constant dense<2.000000e+00> : tensor<f64>
// CHECK-NEXT:        %d = array.mul %y, %a : tensor<f64>
// CHECK-NEXT:        %g = array.sub %b, %q : tensor<f64>
// CHECK-NEXT:        %h = array.add %d, %g : tensor<f64>
// CHECK-NEXT:        %k = array.mul %h, %f_1 : tensor<f64>
// CHECK-NEXT:        array.yield %k : tensor<f64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %last : tensor<f64>

// -----

// A carry that never changes is a const, one that nothing needs goes, and so does what feeds it;
// results that are known beforehand or given twice are not stacked.

func.func @results(%x: tensor<f64>, %w: tensor<f64>, %e: tensor<9xf64>) -> (tensor<f64>, tensor<f64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>) {
  %last, %same, %dead, %ys, %zs, %es, %cs = array.scan length 9 carries(%x, %w, %x : tensor<f64>, tensor<f64>, tensor<f64>) elements(%e : tensor<9xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %b: tensor<f64>, %c: tensor<f64>, %p: tensor<f64>):
    %s = array.sin %c : tensor<f64>
    %m = array.mul %a, %b : tensor<f64>
    array.yield %m, %b, %s, %m, %m, %p, %b : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
  }
  func.return %last, %same, %ys, %zs, %es, %cs : tensor<f64>, tensor<f64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>
}

// CHECK-LABEL: func.func @results(%x: tensor<f64>, %w: tensor<f64>, %e: tensor<9xf64>) -> (tensor<f64>, tensor<f64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>) {
// CHECK-NEXT:      %cs = array.broadcast %w dims [] : tensor<f64> -> tensor<9xf64>
// CHECK-NEXT:      %last, %ys = array.scan length 9 consts(%w : tensor<f64>) carries(%x : tensor<f64>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %b: tensor<f64>, %a: tensor<f64>):
// CHECK-NEXT:        %m = array.mul %a, %b : tensor<f64>
// CHECK-NEXT:        array.yield %m, %m : tensor<f64>, tensor<f64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %last, %w, %ys, %ys, %e, %cs : tensor<f64>, tensor<f64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>, tensor<9xf64>

// -----

// What is the same in all steps is computed before the loop, unless to read it there takes longer.

func.func @invariants(%x: tensor<100xf64>, %w: tensor<100xf64>, %n: tensor<i64>) -> tensor<100xf64> {
  %last = array.scan length 9 consts(%w, %n : tensor<100xf64>, tensor<i64>) carries(%x : tensor<100xf64>) {
  ^bb0(%i: tensor<i64>, %c: tensor<100xf64>, %m: tensor<i64>, %a: tensor<100xf64>):
    %e = array.exp %c : tensor<100xf64>
    %f = array.convert %m : tensor<i64> -> tensor<f64>
    %g = array.broadcast %f dims [] : tensor<f64> -> tensor<100xf64>
    %h = array.mul %a, %e : tensor<100xf64>
    %k = array.mul %h, %g : tensor<100xf64>
    array.yield %k : tensor<100xf64>
  }
  func.return %last : tensor<100xf64>
}

// CHECK-LABEL: func.func @invariants(%x: tensor<100xf64>, %w: tensor<100xf64>, %n: tensor<i64>) -> tensor<100xf64> {
// CHECK-NEXT:      %e = array.exp %w : tensor<100xf64>
// CHECK-NEXT:      %f = array.convert %n : tensor<i64> -> tensor<f64>
// CHECK-NEXT:      %last = array.scan length 9 consts(%e, %f : tensor<100xf64>, tensor<f64>) carries(%x : tensor<100xf64>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %e_1: tensor<100xf64>, %f_1: tensor<f64>, %a: tensor<100xf64>):
// CHECK-NEXT:        %g = array.broadcast %f_1 dims [] : tensor<f64> -> tensor<100xf64>
// CHECK-NEXT:        %h = array.mul %a, %e_1 : tensor<100xf64>
// CHECK-NEXT:        %k = array.mul %h, %g : tensor<100xf64>
// CHECK-NEXT:        array.yield %k : tensor<100xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %last : tensor<100xf64>

// -----

// A while that does not begin is not there; a condition that is known is folded.

func.func @never(%x: tensor<f64>) -> tensor<f64> {
  %last = array.while carries(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %one = array.constant dense<1> : tensor<i64>
    %p = array.compare lt %one, %one : tensor<i64> -> tensor<i1>
    array.yield %p : tensor<i1>
  } do {
  ^bb0(%a: tensor<f64>):
    %b = array.sin %a : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %last : tensor<f64>
}

// CHECK-LABEL: func.func @never(%x: tensor<f64>) -> tensor<f64> {
// CHECK-NEXT:      func.return %x : tensor<f64>

// -----

// A scan of one step is the step, and one of none gives its first carries.

func.func @one_step(%x: tensor<f64>, %e: tensor<1xf64>) -> (tensor<f64>, tensor<1xf64>, tensor<f64>) {
  %last, %ys = array.scan length 1 carries(%x : tensor<f64>) elements(%e : tensor<1xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %p: tensor<f64>):
    %n = array.convert %i : tensor<i64> -> tensor<f64>
    %m = array.mul %a, %p : tensor<f64>
    %s = array.add %m, %n : tensor<f64>
    array.yield %s, %m : tensor<f64>, tensor<f64>
  }
  %none = array.scan length 0 carries(%x : tensor<f64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    array.yield %s : tensor<f64>
  }
  func.return %last, %ys, %none : tensor<f64>, tensor<1xf64>, tensor<f64>
}

// CHECK-LABEL: func.func @one_step(%x: tensor<f64>, %e: tensor<1xf64>) -> (tensor<f64>, tensor<1xf64>, tensor<f64>) {
// CHECK-NEXT:      %0 = array.reshape %e : tensor<1xf64> -> tensor<f64>
// CHECK-NEXT:      %1 = array.constant dense<0.000000e+00> : tensor<f64>
// CHECK-NEXT:      %m = array.mul %x, %0 : tensor<f64>
// CHECK-NEXT:      %s = array.add %m, %1 : tensor<f64>
// CHECK-NEXT:      %ys = array.reshape %m : tensor<f64> -> tensor<1xf64>
// CHECK-NEXT:      func.return %s, %ys, %x : tensor<f64>, tensor<1xf64>, tensor<f64>

// -----

// A branch that is known takes the place of the case; branches that agree on a result need not give
// it.

func.func @branches(%x: tensor<f64>, %p: tensor<i1>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
  %index = array.constant dense<7> : tensor<i64>
  %known = array.case index(%index : tensor<i64>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    array.yield %s : tensor<f64>
  }
  %y, %same, %one = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %c = array.constant dense<1.0> : tensor<f64>
    array.yield %a, %a, %c : tensor<f64>, tensor<f64>, tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %c = array.constant dense<1.0> : tensor<f64>
    %s = array.cos %a : tensor<f64>
    array.yield %s, %a, %c : tensor<f64>, tensor<f64>, tensor<f64>
  }
  func.return %known, %y, %same, %one : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>
}

// CHECK-LABEL: func.func @branches(%x: tensor<f64>, %p: tensor<i1>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>) {
// CHECK-NEXT:      %s = array.sin %x : tensor<f64>
// CHECK-NEXT:      %one = array.constant dense<1.000000e+00> : tensor<f64>
// CHECK-NEXT:      %y = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<f64>):
// CHECK-NEXT:        array.yield %a : tensor<f64>
// CHECK-NEXT:      } or {
// CHECK-NEXT:      ^bb0(%a_1: tensor<f64>):
// CHECK-NEXT:        %s_1 = array.cos %a_1 : tensor<f64>
// CHECK-NEXT:        array.yield %s_1 : tensor<f64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %s, %y, %x, %one : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>

// -----

// What is pushed last is popped first.

func.func @tape(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %t = array.tape_new : !array.tape<tensor<f64>>
  %u = array.tape_push %t, %x : !array.tape<tensor<f64>>, tensor<f64> -> !array.tape<tensor<f64>>
  %v = array.tape_push %u, %y : !array.tape<tensor<f64>>, tensor<f64> -> !array.tape<tensor<f64>>
  %w, %a = array.tape_pop %v : !array.tape<tensor<f64>>, tensor<f64> from !array.tape<tensor<f64>>
  %z, %b = array.tape_pop %w : !array.tape<tensor<f64>>, tensor<f64> from !array.tape<tensor<f64>>
  func.return %a, %b : tensor<f64>, tensor<f64>
}

// CHECK-LABEL: func.func @tape(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// CHECK-NEXT:      func.return %y, %x : tensor<f64>, tensor<f64>

// -----

// Nothing is merged across a barrier.

func.func @barrier(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %a = array.sin %x : tensor<f64>
  %y = array.barrier %x : tensor<f64> -> tensor<f64>
  %b = array.sin %y : tensor<f64>
  func.return %a, %b : tensor<f64>, tensor<f64>
}

// CHECK-LABEL: func.func @barrier(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
// CHECK-NEXT:      %a = array.sin %x : tensor<f64>
// CHECK-NEXT:      %y = array.barrier %x : tensor<f64> -> tensor<f64>
// CHECK-NEXT:      %b = array.sin %y : tensor<f64>
// CHECK-NEXT:      func.return %a, %b : tensor<f64>, tensor<f64>
