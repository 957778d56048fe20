// RUN: gradatim-opt %s -p array-fold,array-dce | filecheck %s

// Splats stay splats, however large.

func.func @splats() -> (tensor<1000000xf64>, tensor<1000x1000xi1>) {
  %a = array.constant dense<2.0> : tensor<1000000xf64>
  %b = array.constant dense<3.0> : tensor<1000000xf64>
  %c = array.mul %a, %b : tensor<1000000xf64>
  %d = array.reshape %c : tensor<1000000xf64> -> tensor<1000x1000xf64>
  %e = array.compare lt %d, %d : tensor<1000x1000xf64> -> tensor<1000x1000xi1>
  func.return %c, %e : tensor<1000000xf64>, tensor<1000x1000xi1>
}

// CHECK-LABEL: func.func @splats
// CHECK-NEXT:    %c = array.constant dense<6.000000e+00> : tensor<1000000xf64>
// CHECK-NEXT:    %e = array.constant dense<false> : tensor<1000x1000xi1>
// CHECK-NEXT:    func.return %c, %e

func.func @small() -> (tensor<4xi64>, tensor<i64>) {
  %a = array.constant dense<[1, 2]> : tensor<2xi64>
  %b = array.constant dense<[3, 4]> : tensor<2xi64>
  %c = array.concatenate %a, %b dim 0 : tensor<2xi64>, tensor<2xi64> -> tensor<4xi64>
  %d = array.reduce add %c dims [0] : tensor<4xi64> -> tensor<i64>
  func.return %c, %d : tensor<4xi64>, tensor<i64>
}

// CHECK-LABEL: func.func @small
// CHECK-NEXT:    %c = array.constant dense<[1, 2, 3, 4]> : tensor<4xi64>
// CHECK-NEXT:    %d = array.constant dense<10> : tensor<i64>
// CHECK-NEXT:    func.return %c, %d

// An array without elements is a constant, whatever would be computed.

func.func @empty(%x: tensor<0x3xf64>) -> tensor<0x3xf64> {
  %a = array.sin %x : tensor<0x3xf64>
  func.return %a : tensor<0x3xf64>
}

// CHECK-LABEL: func.func @empty
// CHECK-NEXT:    %a = array.constant dense<> : tensor<0x3xf64>
// CHECK-NEXT:    func.return %a

// No constant of more than 1024 elements is made, and what depends on an argument is not known.

func.func @kept(%x: tensor<2xf64>) -> (tensor<2x1000xf64>, tensor<2xf64>) {
  %a = array.constant dense<[1.0, 2.0]> : tensor<2xf64>
  %b = array.broadcast %a dims [0] : tensor<2xf64> -> tensor<2x1000xf64>
  %c = array.mul %x, %a : tensor<2xf64>
  func.return %b, %c : tensor<2x1000xf64>, tensor<2xf64>
}

// CHECK-LABEL: func.func @kept
// CHECK-NEXT:    %a = array.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf64>
// CHECK-NEXT:    %b = array.broadcast %a dims [0] : tensor<2xf64> -> tensor<2x1000xf64>
// CHECK-NEXT:    %c = array.mul %x, %a : tensor<2xf64>
// CHECK-NEXT:    func.return %b, %c

// Integer division by zero gives zero; infinity comes out as NumPy has it.

func.func @edges() -> (tensor<i32>, tensor<2xf64>) {
  %a = array.constant dense<7> : tensor<i32>
  %b = array.constant dense<0> : tensor<i32>
  %c = array.div %a, %b : tensor<i32>
  %d = array.constant dense<[0.0, 1.0]> : tensor<2xf64>
  %e = array.log %d : tensor<2xf64>
  func.return %c, %e : tensor<i32>, tensor<2xf64>
}

// CHECK-LABEL: func.func @edges
// CHECK-NEXT:    %c = array.constant dense<0> : tensor<i32>
// CHECK-NEXT:    %e = array.constant dense<"0x000000000000F0FF0000000000000000"> : tensor<2xf64>
// CHECK-NEXT:    func.return %c, %e
