// RUN: gradatim-opt %s -p array-canonicalize | filecheck %s

// Over dimensions of size 1 a reduction is a reshape; a sum of floats begins with 0.0 and so makes
// -0.0 positive.

func.func @ones(%x: tensor<2x1xf64>, %i: tensor<1x3x1xi32>, %y: tensor<4x1x3xf64>) -> (tensor<2xf64>, tensor<2xf64>, tensor<3xi32>, tensor<3xf64>, tensor<2x1xf64>, tensor<2xi64>) {
  %a = array.reduce max %x dims [1] : tensor<2x1xf64> -> tensor<2xf64>
  %b = array.reduce add %x dims [1] : tensor<2x1xf64> -> tensor<2xf64>
  %c = array.reduce add %i dims [0, 2] : tensor<1x3x1xi32> -> tensor<3xi32>
  %d = array.reduce add %y dims [0, 1] : tensor<4x1x3xf64> -> tensor<3xf64>
  %e = array.cumulative add %x dim 1 : tensor<2x1xf64>
  %f = array.argreduce max %x dim 1 : tensor<2x1xf64> -> tensor<2xi64>
  func.return %a, %b, %c, %d, %e, %f : tensor<2xf64>, tensor<2xf64>, tensor<3xi32>, tensor<3xf64>, tensor<2x1xf64>, tensor<2xi64>
}

// CHECK-LABEL: func.func @ones
// CHECK-NEXT:    %a = array.reshape %x : tensor<2x1xf64> -> tensor<2xf64>
// CHECK-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<2xf64>
// CHECK-NEXT:    %b = array.add %a, %0 : tensor<2xf64>
// CHECK-NEXT:    %c = array.reshape %i : tensor<1x3x1xi32> -> tensor<3xi32>
// CHECK-NEXT:    %1 = array.reshape %y : tensor<4x1x3xf64> -> tensor<4x3xf64>
// CHECK-NEXT:    %d = array.reduce add %1 dims [0] : tensor<4x3xf64> -> tensor<3xf64>
// CHECK-NEXT:    %f = array.constant dense<0> : tensor<2xi64>
// CHECK-NEXT:    func.return %a, %b, %c, %d, %x, %f

func.func @nothing(%x: tensor<0x3xf64>, %p: tensor<0xi1>) -> (tensor<3xf64>, tensor<3xf64>, tensor<i1>) {
  %a = array.reduce add %x dims [0] : tensor<0x3xf64> -> tensor<3xf64>
  %b = array.reduce mul %x dims [0] : tensor<0x3xf64> -> tensor<3xf64>
  %c = array.reduce and %p dims [0] : tensor<0xi1> -> tensor<i1>
  func.return %a, %b, %c : tensor<3xf64>, tensor<3xf64>, tensor<i1>
}

// CHECK-LABEL: func.func @nothing
// CHECK-NEXT:    %a = array.constant dense<0.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %b = array.constant dense<1.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %c = array.constant dense<true> : tensor<i1>
// CHECK-NEXT:    func.return %a, %b, %c

// Copies are counted, but a sum of equal floats is not their product with the count: it rounds.

func.func @copies(%x: tensor<3xf64>, %i: tensor<3xi32>, %p: tensor<3xi1>) -> (tensor<3xf64>, tensor<f64>, tensor<3xi32>, tensor<i32>, tensor<3xi1>, tensor<3xi1>, tensor<3xf64>) {
  %a = array.broadcast %x dims [1] : tensor<3xf64> -> tensor<4x3xf64>
  %b = array.broadcast %i dims [1] : tensor<3xi32> -> tensor<4x3xi32>
  %c = array.broadcast %p dims [0] : tensor<3xi1> -> tensor<3x3xi1>
  %d = array.broadcast %p dims [0] : tensor<3xi1> -> tensor<3x2xi1>
  %r0 = array.reduce max %a dims [0] : tensor<4x3xf64> -> tensor<3xf64>
  %r1 = array.reduce min %a dims [0, 1] : tensor<4x3xf64> -> tensor<f64>
  %r2 = array.reduce add %b dims [0] : tensor<4x3xi32> -> tensor<3xi32>
  %r3 = array.reduce add %b dims [0, 1] : tensor<4x3xi32> -> tensor<i32>
  %r4 = array.reduce xor %c dims [1] : tensor<3x3xi1> -> tensor<3xi1>
  %r5 = array.reduce xor %d dims [1] : tensor<3x2xi1> -> tensor<3xi1>
  %r6 = array.reduce add %a dims [0] : tensor<4x3xf64> -> tensor<3xf64>
  func.return %r0, %r1, %r2, %r3, %r4, %r5, %r6 : tensor<3xf64>, tensor<f64>, tensor<3xi32>, tensor<i32>, tensor<3xi1>, tensor<3xi1>, tensor<3xf64>
}

// CHECK-LABEL: func.func @copies
// CHECK-NEXT:    %a = array.broadcast %x dims [1] : tensor<3xf64> -> tensor<4x3xf64>
// CHECK-NEXT:    %r1 = array.reduce min %x dims [0] : tensor<3xf64> -> tensor<f64>
// CHECK-NEXT:    %0 = array.constant dense<4> : tensor<3xi32>
// CHECK-NEXT:    %r2 = array.mul %i, %0 : tensor<3xi32>
// CHECK-NEXT:    %1 = array.reduce add %i dims [0] : tensor<3xi32> -> tensor<i32>
// CHECK-NEXT:    %2 = array.constant dense<4> : tensor<i32>
// CHECK-NEXT:    %r3 = array.mul %1, %2 : tensor<i32>
// CHECK-NEXT:    %r5 = array.constant dense<false> : tensor<3xi1>
// CHECK-NEXT:    %r6 = array.reduce add %a dims [0] : tensor<4x3xf64> -> tensor<3xf64>
// CHECK-NEXT:    func.return %x, %r1, %r2, %r3, %p, %r5, %r6

// What is reduced is reduced before it is repeated.

func.func @repeated(%x: tensor<3x5xf64>) -> tensor<4x3xf64> {
  %a = array.broadcast %x dims [1, 2] : tensor<3x5xf64> -> tensor<4x3x5xf64>
  %b = array.reduce add %a dims [2] : tensor<4x3x5xf64> -> tensor<4x3xf64>
  func.return %b : tensor<4x3xf64>
}

// CHECK-LABEL: func.func @repeated
// CHECK-NEXT:    %0 = array.reduce add %x dims [1] : tensor<3x5xf64> -> tensor<3xf64>
// CHECK-NEXT:    %b = array.broadcast %0 dims [1] : tensor<3xf64> -> tensor<4x3xf64>
// CHECK-NEXT:    func.return %b

func.func @constants() -> (tensor<2xi32>, tensor<2xf64>, tensor<2xf64>) {
  %i = array.constant dense<3> : tensor<2x100000xi32>
  %x = array.constant dense<3.0> : tensor<2x100000xf64>
  %a = array.reduce add %i dims [1] : tensor<2x100000xi32> -> tensor<2xi32>
  %b = array.reduce min %x dims [1] : tensor<2x100000xf64> -> tensor<2xf64>
  %c = array.reduce add %x dims [1] : tensor<2x100000xf64> -> tensor<2xf64>
  func.return %a, %b, %c : tensor<2xi32>, tensor<2xf64>, tensor<2xf64>
}

// CHECK-LABEL: func.func @constants
// CHECK-NEXT:    %x = array.constant dense<3.000000e+00> : tensor<2x100000xf64>
// CHECK-NEXT:    %a = array.constant dense<300000> : tensor<2xi32>
// CHECK-NEXT:    %b = array.constant dense<3.000000e+00> : tensor<2xf64>
// CHECK-NEXT:    %c = array.reduce add %x dims [1] : tensor<2x100000xf64> -> tensor<2xf64>
// CHECK-NEXT:    func.return %a, %b, %c

// Reductions of one kind are one; the order of additions is the compiler's choice.

func.func @twice(%x: tensor<2x3x4xf64>) -> (tensor<3xf64>, tensor<f64>) {
  %0 = array.reduce add %x dims [0] : tensor<2x3x4xf64> -> tensor<3x4xf64>
  %a = array.reduce add %0 dims [1] : tensor<3x4xf64> -> tensor<3xf64>
  %1 = array.reduce max %x dims [2, 1] : tensor<2x3x4xf64> -> tensor<2xf64>
  %b = array.reduce add %1 dims [0] : tensor<2xf64> -> tensor<f64>
  func.return %a, %b : tensor<3xf64>, tensor<f64>
}

// CHECK-LABEL: func.func @twice
// CHECK-NEXT:    %a = array.reduce add %x dims [0, 2] : tensor<2x3x4xf64> -> tensor<3xf64>
// CHECK-NEXT:    %0 = array.reduce max %x dims [1, 2] : tensor<2x3x4xf64> -> tensor<2xf64>
// CHECK-NEXT:    %b = array.reduce add %0 dims [0] : tensor<2xf64> -> tensor<f64>
// CHECK-NEXT:    func.return %a, %b

func.func @moved(%x: tensor<2x3x4xf64>) -> (tensor<3xf64>, tensor<4x2xf64>, tensor<2x4xf64>, tensor<2x4xf64>) {
  %t = array.transpose %x permutation [2, 1, 0] : tensor<2x3x4xf64> -> tensor<4x3x2xf64>
  %a = array.reduce add %t dims [0, 2] : tensor<4x3x2xf64> -> tensor<3xf64>
  %b = array.reduce add %t dims [1] : tensor<4x3x2xf64> -> tensor<4x2xf64>
  %r = array.reverse %x dims [1, 2] : tensor<2x3x4xf64>
  %c = array.reduce add %r dims [1] : tensor<2x3x4xf64> -> tensor<2x4xf64>
  %q = array.reverse %x dims [2] : tensor<2x3x4xf64>
  %d = array.reduce add %q dims [1] : tensor<2x3x4xf64> -> tensor<2x4xf64>
  func.return %a, %b, %c, %d : tensor<3xf64>, tensor<4x2xf64>, tensor<2x4xf64>, tensor<2x4xf64>
}

// CHECK-LABEL: func.func @moved
// CHECK-NEXT:    %a = array.reduce add %x dims [0, 2] : tensor<2x3x4xf64> -> tensor<3xf64>
// CHECK-NEXT:    %0 = array.reduce add %x dims [1] : tensor<2x3x4xf64> -> tensor<2x4xf64>
// CHECK-NEXT:    %b = array.transpose %0 permutation [1, 0] : tensor<2x4xf64> -> tensor<4x2xf64>
// CHECK-NEXT:    %q = array.reverse %x dims [2] : tensor<2x3x4xf64>
// CHECK-NEXT:    %c = array.reduce add %q dims [1] : tensor<2x3x4xf64> -> tensor<2x4xf64>
// CHECK-NEXT:    func.return %a, %b, %c, %c

// A reduction that is used otherwise too is not computed twice.

func.func @used_otherwise(%x: tensor<2x3xf64>) -> (tensor<2xf64>, tensor<f64>) {
  %a = array.reduce add %x dims [1] : tensor<2x3xf64> -> tensor<2xf64>
  %b = array.reduce add %a dims [0] : tensor<2xf64> -> tensor<f64>
  func.return %a, %b : tensor<2xf64>, tensor<f64>
}

// CHECK-LABEL: func.func @used_otherwise
// CHECK-NEXT:    %a = array.reduce add %x dims [1] : tensor<2x3xf64> -> tensor<2xf64>
// CHECK-NEXT:    %b = array.reduce add %a dims [0] : tensor<2xf64> -> tensor<f64>
// CHECK-NEXT:    func.return %a, %b
