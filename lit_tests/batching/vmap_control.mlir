// RUN: gradatim-opt %s -p 'array-vmap{size=3 in-axes=0,-1}' --split-input-file | filecheck %s

// A carry that differs between lanes in any step carries the batch; the others, and what depends on
// them only, stay as they are. Stacked results have the batch behind the steps.

func.func @scan(%x: tensor<f64>, %w: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<5xf64>) {
  %last, %other, %ys = array.scan length 5 carries(%x, %w : tensor<f64>, tensor<f64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %b: tensor<f64>):
    %c = array.sin %b : tensor<f64>
    %d = array.mul %a, %c : tensor<f64>
    array.yield %d, %c, %d : tensor<f64>, tensor<f64>, tensor<f64>
  }
  func.return %last, %other, %ys : tensor<f64>, tensor<f64>, tensor<5xf64>
}

// CHECK-LABEL: func.func @scan(%x: tensor<3xf64>, %w: tensor<f64>) -> (tensor<3xf64>, tensor<3xf64>, tensor<3x5xf64>) {
// CHECK-NEXT:      %last, %other, %ys = array.scan length 5 carries(%x, %w : tensor<3xf64>, tensor<f64>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %a: tensor<3xf64>, %b: tensor<f64>):
// CHECK-NEXT:        %c = array.sin %b : tensor<f64>
// CHECK-NEXT:        %0 = array.broadcast %c dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:        %d = array.mul %a, %0 : tensor<3xf64>
// CHECK-NEXT:        array.yield %d, %c, %d : tensor<3xf64>, tensor<f64>, tensor<3xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      %0 = array.broadcast %other dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:      %1 = array.transpose %ys permutation [1, 0] : tensor<5x3xf64> -> tensor<3x5xf64>
// CHECK-NEXT:      func.return %last, %0, %1 : tensor<3xf64>, tensor<3xf64>, tensor<3x5xf64>

// -----

// Lanes that take the same steps take them together.

func.func @together(%x: tensor<f64>, %n: tensor<i64>) -> tensor<f64> {
  %k, %last = array.while carries(%n, %x : tensor<i64>, tensor<f64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>):
    %zero = array.constant dense<0> : tensor<i64>
    %p = array.compare gt %i, %zero : tensor<i64> -> tensor<i1>
    array.yield %p : tensor<i1>
  } do {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>):
    %one = array.constant dense<1> : tensor<i64>
    %j = array.sub %i, %one : tensor<i64>
    %b = array.add %a, %a : tensor<f64>
    array.yield %j, %b : tensor<i64>, tensor<f64>
  }
  func.return %last : tensor<f64>
}

// CHECK-LABEL: func.func @together(%x: tensor<3xf64>, %n: tensor<i64>) -> tensor<3xf64> {
// CHECK-NEXT:      %k, %last = array.while carries(%n, %x : tensor<i64>, tensor<3xf64>) {
// CHECK-NEXT:      ^bb0(%i: tensor<i64>, %a: tensor<3xf64>):
// CHECK-NEXT:        %zero = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:        %p = array.compare gt %i, %zero : tensor<i64> -> tensor<i1>
// CHECK-NEXT:        array.yield %p : tensor<i1>
// CHECK-NEXT:      } do {
// CHECK-NEXT:      ^bb0(%i_1: tensor<i64>, %a_1: tensor<3xf64>):
// CHECK-NEXT:        %one = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:        %j = array.sub %i_1, %one : tensor<i64>
// CHECK-NEXT:        %b = array.add %a_1, %a_1 : tensor<3xf64>
// CHECK-NEXT:        array.yield %j, %b : tensor<i64>, tensor<3xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %last : tensor<3xf64>

// -----

// Lanes that stop at different steps are held under a mask.

func.func @masked(%x: tensor<f64>, %w: tensor<f64>) -> tensor<f64> {
  %last = array.while consts(%w : tensor<f64>) carries(%x : tensor<f64>) {
  ^bb0(%c: tensor<f64>, %a: tensor<f64>):
    %p = array.compare lt %a, %c : tensor<f64> -> tensor<i1>
    array.yield %p : tensor<i1>
  } do {
  ^bb0(%c: tensor<f64>, %a: tensor<f64>):
    %b = array.add %a, %a : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %last : tensor<f64>
}

// CHECK-LABEL: func.func @masked(%x: tensor<3xf64>, %w: tensor<f64>) -> tensor<3xf64> {
// CHECK-NEXT:      %0 = array.broadcast %w dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:      %p = array.compare lt %x, %0 : tensor<3xf64> -> tensor<3xi1>
// CHECK-NEXT:      %last, %1 = array.while consts(%w : tensor<f64>) carries(%x, %p : tensor<3xf64>, tensor<3xi1>) {
// CHECK-NEXT:      ^bb0(%2: tensor<f64>, %3: tensor<3xf64>, %4: tensor<3xi1>):
// CHECK-NEXT:        %5 = array.reduce or %4 dims [0] : tensor<3xi1> -> tensor<i1>
// CHECK-NEXT:        array.yield %5 : tensor<i1>
// CHECK-NEXT:      } do {
// CHECK-NEXT:      ^bb0(%c: tensor<f64>, %a: tensor<3xf64>, %6: tensor<3xi1>):
// CHECK-NEXT:        %b = array.add %a, %a : tensor<3xf64>
// CHECK-NEXT:        %7 = array.select %6, %b, %a : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:        %8 = array.broadcast %c dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:        %p_1 = array.compare lt %7, %8 : tensor<3xf64> -> tensor<3xi1>
// CHECK-NEXT:        array.yield %7, %p_1 : tensor<3xf64>, tensor<3xi1>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %last : tensor<3xf64>

// -----

// The same branch for all lanes.

func.func @branch(%x: tensor<f64>, %p: tensor<i1>) -> tensor<f64> {
  %y = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %s = array.sin %a : tensor<f64>
    array.yield %s : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %one = array.constant dense<1.0> : tensor<f64>
    array.yield %one : tensor<f64>
  }
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @branch(%x: tensor<3xf64>, %p: tensor<i1>) -> tensor<3xf64> {
// CHECK-NEXT:      %y = array.case index(%p : tensor<i1>) operands(%x : tensor<3xf64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<3xf64>):
// CHECK-NEXT:        %s = array.sin %a : tensor<3xf64>
// CHECK-NEXT:        array.yield %s : tensor<3xf64>
// CHECK-NEXT:      } or {
// CHECK-NEXT:      ^bb0(%a_1: tensor<3xf64>):
// CHECK-NEXT:        %one = array.constant dense<1.000000e+00> : tensor<f64>
// CHECK-NEXT:        %0 = array.constant dense<1.000000e+00> : tensor<3xf64>
// CHECK-NEXT:        array.yield %0 : tensor<3xf64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %y : tensor<3xf64>

// -----

// Cheap branches are all computed, and one is selected for each lane.

func.func @select(%p: tensor<i64>, %x: tensor<f64>) -> tensor<f64> {
  %y = array.case index(%p : tensor<i64>) operands(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    array.yield %a : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %s = array.neg %a : tensor<f64>
    array.yield %s : tensor<f64>
  } or {
  ^bb0(%a: tensor<f64>):
    %m = array.mul %a, %a : tensor<f64>
    array.yield %m : tensor<f64>
  }
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @select(%p: tensor<3xi64>, %x: tensor<f64>) -> tensor<3xf64> {
// CHECK-NEXT:      %0 = array.broadcast %x dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:      %s = array.neg %x : tensor<f64>
// CHECK-NEXT:      %1 = array.broadcast %s dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:      %m = array.mul %x, %x : tensor<f64>
// CHECK-NEXT:      %2 = array.broadcast %m dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:      %3 = array.constant dense<1> : tensor<3xi64>
// CHECK-NEXT:      %4 = array.compare le %p, %3 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:      %5 = array.select %4, %1, %2 : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:      %6 = array.constant dense<0> : tensor<3xi64>
// CHECK-NEXT:      %7 = array.compare le %p, %6 : tensor<3xi64> -> tensor<3xi1>
// CHECK-NEXT:      %y = array.select %7, %0, %5 : tensor<3xi1>, tensor<3xf64>
// CHECK-NEXT:      func.return %y : tensor<3xf64>

// -----

// A tape of a batch holds which lanes have pushed.

func.func @tape(%x: tensor<f64>, %w: tensor<f64>) -> tensor<f64> {
  %t = array.tape_new : !array.tape<tensor<f64>>
  %u = array.tape_push %t, %x : !array.tape<tensor<f64>>, tensor<f64> -> !array.tape<tensor<f64>>
  %v, %y = array.tape_pop %u : !array.tape<tensor<f64>>, tensor<f64> from !array.tape<tensor<f64>>
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @tape(%x: tensor<3xf64>, %w: tensor<f64>) -> tensor<3xf64> {
// CHECK-NEXT:      %t = array.tape_new : !array.tape<tensor<3xi1>, tensor<3xf64>>
// CHECK-NEXT:      %0 = array.constant dense<true> : tensor<3xi1>
// CHECK-NEXT:      %u = array.tape_push %t, %0, %x : !array.tape<tensor<3xi1>, tensor<3xf64>>, tensor<3xi1>, tensor<3xf64> -> !array.tape<tensor<3xi1>, tensor<3xf64>>
// CHECK-NEXT:      %v, %1, %y = array.tape_pop %u : !array.tape<tensor<3xi1>, tensor<3xf64>>, tensor<3xi1>, tensor<3xf64> from !array.tape<tensor<3xi1>, tensor<3xf64>>
// CHECK-NEXT:      func.return %y : tensor<3xf64>

// -----

// The cotangent of an operand that is the same for all lanes is the sum over them.

func.func @custom(%x: tensor<f64>, %w: tensor<f64>) -> tensor<f64> {
  %y = array.custom_derivative operands(%x, %w : tensor<f64>, tensor<f64>) {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %m = array.mul %a, %b : tensor<f64>
    array.yield %m : tensor<f64>
  } forward {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>):
    %m = array.mul %a, %b : tensor<f64>
    array.yield %m, %a, %b : tensor<f64>, tensor<f64>, tensor<f64>
  } backward {
  ^bb0(%a: tensor<f64>, %b: tensor<f64>, %g: tensor<f64>):
    %da = array.mul %g, %b : tensor<f64>
    %db = array.mul %g, %a : tensor<f64>
    array.yield %da, %db : tensor<f64>, tensor<f64>
  }
  func.return %y : tensor<f64>
}

// CHECK-LABEL: func.func @custom(%x: tensor<3xf64>, %w: tensor<f64>) -> tensor<3xf64> {
// CHECK-NEXT:      %y = array.custom_derivative operands(%x, %w : tensor<3xf64>, tensor<f64>) {
// CHECK-NEXT:      ^bb0(%a: tensor<3xf64>, %b: tensor<f64>):
// CHECK-NEXT:        %0 = array.broadcast %b dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:        %m = array.mul %a, %0 : tensor<3xf64>
// CHECK-NEXT:        array.yield %m : tensor<3xf64>
// CHECK-NEXT:      } forward {
// CHECK-NEXT:      ^bb0(%a_1: tensor<3xf64>, %b_1: tensor<f64>):
// CHECK-NEXT:        %1 = array.broadcast %b_1 dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:        %m_1 = array.mul %a_1, %1 : tensor<3xf64>
// CHECK-NEXT:        %2 = array.broadcast %b_1 dims [] : tensor<f64> -> tensor<3xf64>
// CHECK-NEXT:        array.yield %m_1, %a_1, %2 : tensor<3xf64>, tensor<3xf64>, tensor<3xf64>
// CHECK-NEXT:      } backward {
// CHECK-NEXT:      ^bb0(%a_2: tensor<3xf64>, %b_2: tensor<3xf64>, %g: tensor<3xf64>):
// CHECK-NEXT:        %da = array.mul %g, %b_2 : tensor<3xf64>
// CHECK-NEXT:        %db = array.mul %g, %a_2 : tensor<3xf64>
// CHECK-NEXT:        %3 = array.reduce add %db dims [0] : tensor<3xf64> -> tensor<f64>
// CHECK-NEXT:        array.yield %da, %3 : tensor<3xf64>, tensor<f64>
// CHECK-NEXT:      }
// CHECK-NEXT:      func.return %y : tensor<3xf64>
