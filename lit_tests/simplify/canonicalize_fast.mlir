// RUN: gradatim-opt %s -p 'array-canonicalize{fast=true}' | filecheck %s

// With `fast` zeros have no sign, values are finite, and constants reassociate.

func.func @f(%x: tensor<4xf64>, %y: tensor<4xf64>) -> (tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xi1>, tensor<4xi1>) {
  %zero = array.constant dense<0.0> : tensor<4xf64>
  %five = array.constant dense<5.0> : tensor<4xf64>
  %half = array.constant dense<0.5> : tensor<4xf64>
  %r0 = array.add %x, %zero : tensor<4xf64>
  %r1 = array.sub %zero, %x : tensor<4xf64>
  %r2 = array.mul %x, %zero : tensor<4xf64>
  %r3 = array.sub %y, %y : tensor<4xf64>
  %r4 = array.div %x, %five : tensor<4xf64>
  %r5 = array.pow %x, %half : tensor<4xf64>
  %a = array.mul %x, %five : tensor<4xf64>
  %r6 = array.mul %a, %half : tensor<4xf64>
  %b = array.sub %x, %y : tensor<4xf64>
  %r7 = array.neg %b : tensor<4xf64>
  %r8 = array.compare eq %x, %x : tensor<4xf64> -> tensor<4xi1>
  %c = array.compare lt %x, %y : tensor<4xf64> -> tensor<4xi1>
  %r9 = array.not %c : tensor<4xi1>
  func.return %r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8, %r9 : tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xf64>, tensor<4xi1>, tensor<4xi1>
}

// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %zero = array.constant dense<0.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    %r1 = array.neg %x : tensor<4xf64>
// CHECK-NEXT:    %0 = array.constant dense<2.000000e-01> : tensor<4xf64>
// CHECK-NEXT:    %r4 = array.mul %x, %0 : tensor<4xf64>
// CHECK-NEXT:    %r5 = array.sqrt %x : tensor<4xf64>
// CHECK-NEXT:    %1 = array.constant dense<2.500000e+00> : tensor<4xf64>
// CHECK-NEXT:    %r6 = array.mul %x, %1 : tensor<4xf64>
// CHECK-NEXT:    %r7 = array.sub %y, %x : tensor<4xf64>
// CHECK-NEXT:    %r8 = array.constant dense<true> : tensor<4xi1>
// CHECK-NEXT:    %r9 = array.compare ge %x, %y : tensor<4xf64> -> tensor<4xi1>
// CHECK-NEXT:    func.return %x, %r1, %zero, %zero, %r4, %r5, %r6, %r7, %r8, %r9

func.func @copies(%x: tensor<3xf64>) -> tensor<3xf64> {
  %a = array.broadcast %x dims [1] : tensor<3xf64> -> tensor<5x3xf64>
  %b = array.reduce add %a dims [0] : tensor<5x3xf64> -> tensor<3xf64>
  func.return %b : tensor<3xf64>
}

// CHECK-LABEL: func.func @copies
// CHECK-NEXT:    %0 = array.constant dense<5.000000e+00> : tensor<3xf64>
// CHECK-NEXT:    %b = array.mul %x, %0 : tensor<3xf64>
// CHECK-NEXT:    func.return %b

func.func @one_element(%x: tensor<3x1xf64>) -> tensor<3xf64> {
  %a = array.reduce add %x dims [1] : tensor<3x1xf64> -> tensor<3xf64>
  func.return %a : tensor<3xf64>
}

// CHECK-LABEL: func.func @one_element
// CHECK-NEXT:    %a = array.reshape %x : tensor<3x1xf64> -> tensor<3xf64>
// CHECK-NEXT:    func.return %a
