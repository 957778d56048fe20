// RUN: gradatim-opt %s -p array-fuse --split-input-file | filecheck %s

// What several of the arrays need that a concatenation interleaves is computed with it, however
// much it takes.

// CHECK-LABEL: func.func @shared
// CHECK-NEXT:    %c = kernel.fusion ins({{.*}}) schedule<rows = [], vector = 4> {
// CHECK-NEXT:      %e = array.exp %x_1
// CHECK-NEXT:      %f = array.exp %y_1
// CHECK-NEXT:      %s = array.add %e, %f
// CHECK-NEXT:      %p = array.div %e, %s
// CHECK-NEXT:      %a = array.reshape %p
// CHECK-NEXT:      %q = array.div %f, %s
// CHECK-NEXT:      %b = array.reshape %q
// CHECK-NEXT:      array.concatenate %a, %b dim 1
// CHECK-NEXT:      kernel.yield
// CHECK-NEXT:    } -> (tensor<400x2xf64>)
// CHECK-NEXT:    func.return %c
func.func @shared(%x: tensor<400xf64>, %y: tensor<400xf64>) -> tensor<400x2xf64> {
  %e = array.exp %x : tensor<400xf64>
  %f = array.exp %y : tensor<400xf64>
  %s = array.add %e, %f : tensor<400xf64>
  %p = array.div %e, %s : tensor<400xf64>
  %q = array.div %f, %s : tensor<400xf64>
  %a = array.reshape %p : tensor<400xf64> -> tensor<400x1xf64>
  %b = array.reshape %q : tensor<400xf64> -> tensor<400x1xf64>
  %c = array.concatenate %a, %b dim 1 : tensor<400x1xf64>, tensor<400x1xf64> -> tensor<400x2xf64>
  func.return %c : tensor<400x2xf64>
}

// -----

// Two results of one shape share a loop.

// CHECK-LABEL: func.func @two
// CHECK-NEXT:    %c, %d = kernel.fusion
// CHECK-NEXT:      %e = array.exp %x_1
// CHECK-NOT:       array.exp
// CHECK:         } -> (tensor<400x2xf64>, tensor<400x2xf64>)
// CHECK-NEXT:    func.return %c, %d
func.func @two(%x: tensor<400xf64>, %y: tensor<400xf64>) -> (tensor<400x2xf64>, tensor<400x2xf64>) {
  %e = array.exp %x : tensor<400xf64>
  %f = array.div %e, %y : tensor<400xf64>
  %a = array.reshape %e : tensor<400xf64> -> tensor<400x1xf64>
  %b = array.reshape %f : tensor<400xf64> -> tensor<400x1xf64>
  %c = array.concatenate %a, %b dim 1 : tensor<400x1xf64>, tensor<400x1xf64> -> tensor<400x2xf64>
  %d = array.concatenate %b, %a dim 1 : tensor<400x1xf64>, tensor<400x1xf64> -> tensor<400x2xf64>
  func.return %c, %d : tensor<400x2xf64>, tensor<400x2xf64>
}

// -----

// Not if one needs the other: nothing but what is cheap is computed twice.

// CHECK-LABEL: func.func @in_turn
// CHECK:         array.exp
// CHECK-NOT:     array.exp
// CHECK:         func.return
func.func @in_turn(%x: tensor<400xf64>, %y: tensor<400xf64>) -> (tensor<400x2xf64>, tensor<400x2xf64>) {
  %e = array.exp %x : tensor<400xf64>
  %f = array.div %e, %y : tensor<400xf64>
  %a = array.reshape %e : tensor<400xf64> -> tensor<400x1xf64>
  %b = array.reshape %f : tensor<400xf64> -> tensor<400x1xf64>
  %c = array.concatenate %a, %b dim 1 : tensor<400x1xf64>, tensor<400x1xf64> -> tensor<400x2xf64>
  %t = array.reduce add %c dims [0, 1] : tensor<400x2xf64> -> tensor<f64>
  %u = array.broadcast %t dims [] : tensor<f64> -> tensor<400xf64>
  %v = array.mul %e, %u : tensor<400xf64>
  %w = array.reshape %v : tensor<400xf64> -> tensor<400x1xf64>
  %d = array.concatenate %w, %a dim 1 : tensor<400x1xf64>, tensor<400x1xf64> -> tensor<400x2xf64>
  func.return %c, %d : tensor<400x2xf64>, tensor<400x2xf64>
}

// -----

// What is needed in memory is computed before.

// CHECK-LABEL: func.func @in_memory
// CHECK-NEXT:    %e = kernel.fusion
// CHECK:         %c = kernel.fusion
// CHECK-NOT:     array.exp
// CHECK:         func.return %c, %e
func.func @in_memory(%x: tensor<400xf64>, %y: tensor<400xf64>) -> (tensor<400x2xf64>, tensor<400xf64>) {
  %e = array.exp %x : tensor<400xf64>
  %f = array.div %e, %y : tensor<400xf64>
  %a = array.reshape %e : tensor<400xf64> -> tensor<400x1xf64>
  %b = array.reshape %f : tensor<400xf64> -> tensor<400x1xf64>
  %c = array.concatenate %a, %b dim 1 : tensor<400x1xf64>, tensor<400x1xf64> -> tensor<400x2xf64>
  func.return %c, %e : tensor<400x2xf64>, tensor<400xf64>
}
