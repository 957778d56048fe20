// RUN: gradatim-opt %s -p array-canonicalize | filecheck %s

// Transposes of operands move into the product, of the result into the order of operands.

func.func @transposed(%x: tensor<4x2xf64>, %y: tensor<3x4xf64>) -> tensor<3x2xf64> {
  %a = array.transpose %x permutation [1, 0] : tensor<4x2xf64> -> tensor<2x4xf64>
  %b = array.transpose %y permutation [1, 0] : tensor<3x4xf64> -> tensor<4x3xf64>
  %c = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<2x4xf64>, tensor<4x3xf64> -> tensor<2x3xf64>
  %d = array.transpose %c permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
  func.return %d : tensor<3x2xf64>
}

// CHECK-LABEL: func.func @transposed
// CHECK-NEXT:    %d = array.dot_general %y, %x batch [] x [] contract [1] x [0] : tensor<3x4xf64>, tensor<4x2xf64> -> tensor<3x2xf64>
// CHECK-NEXT:    func.return %d

func.func @batched(%x: tensor<4x5x2xf64>, %y: tensor<5x3x4xf64>) -> tensor<5x3x2xf64> {
  %a = array.transpose %x permutation [1, 2, 0] : tensor<4x5x2xf64> -> tensor<5x2x4xf64>
  %c = array.dot_general %a, %y batch [0] x [0] contract [2] x [2] : tensor<5x2x4xf64>, tensor<5x3x4xf64> -> tensor<5x2x3xf64>
  %d = array.transpose %c permutation [0, 2, 1] : tensor<5x2x3xf64> -> tensor<5x3x2xf64>
  func.return %d : tensor<5x3x2xf64>
}

// CHECK-LABEL: func.func @batched
// CHECK-NEXT:    %d = array.dot_general %y, %x batch [0] x [1] contract [2] x [0] : tensor<5x3x4xf64>, tensor<4x5x2xf64> -> tensor<5x3x2xf64>
// CHECK-NEXT:    func.return %d

// A transpose that trades free dimensions of one operand stays, and so does one that trades a batch
// dimension of the result.

func.func @free_dimensions_keep_their_order(%x: tensor<2x3x4xf64>, %y: tensor<4xf64>, %z: tensor<2x3x4xf64>) -> (tensor<3x2xf64>, tensor<3x2x3xf64>) {
  %a = array.transpose %x permutation [1, 0, 2] : tensor<2x3x4xf64> -> tensor<3x2x4xf64>
  %c = array.dot_general %a, %y batch [] x [] contract [2] x [0] : tensor<3x2x4xf64>, tensor<4xf64> -> tensor<3x2xf64>
  %d = array.dot_general %x, %z batch [0] x [0] contract [2] x [2] : tensor<2x3x4xf64>, tensor<2x3x4xf64> -> tensor<2x3x3xf64>
  %e = array.transpose %d permutation [1, 0, 2] : tensor<2x3x3xf64> -> tensor<3x2x3xf64>
  func.return %c, %e : tensor<3x2xf64>, tensor<3x2x3xf64>
}

// CHECK-LABEL: func.func @free_dimensions_keep_their_order
// CHECK-NEXT:    %a = array.transpose %x permutation [1, 0, 2] : tensor<2x3x4xf64> -> tensor<3x2x4xf64>
// CHECK-NEXT:    %c = array.dot_general %a, %y batch [] x [] contract [2] x [0] : tensor<3x2x4xf64>, tensor<4xf64> -> tensor<3x2xf64>
// CHECK-NEXT:    %d = array.dot_general %x, %z batch [0] x [0] contract [2] x [2] : tensor<2x3x4xf64>, tensor<2x3x4xf64> -> tensor<2x3x3xf64>
// CHECK-NEXT:    %e = array.transpose %d permutation [1, 0, 2] : tensor<2x3x3xf64> -> tensor<3x2x3xf64>
// CHECK-NEXT:    func.return %c, %e

// Contracted dimensions rise at the left.

func.func @pairs(%x: tensor<2x3xf64>, %y: tensor<3x2xf64>) -> tensor<f64> {
  %a = array.dot_general %x, %y batch [] x [] contract [1, 0] x [0, 1] : tensor<2x3xf64>, tensor<3x2xf64> -> tensor<f64>
  func.return %a : tensor<f64>
}

// CHECK-LABEL: func.func @pairs
// CHECK-NEXT:    %a = array.dot_general %x, %y batch [] x [] contract [0, 1] x [1, 0] : tensor<2x3xf64>, tensor<3x2xf64> -> tensor<f64>
// CHECK-NEXT:    func.return %a

// Free dimensions that only repeat are repeated after the product; contracted ones stay.

func.func @repeated(%x: tensor<4xf64>, %y: tensor<4x3xf64>, %v: tensor<5xf64>) -> (tensor<2x3xf64>, tensor<3x2xf64>, tensor<5x4xf64>) {
  %a = array.broadcast %x dims [1] : tensor<4xf64> -> tensor<2x4xf64>
  %c = array.dot_general %a, %y batch [] x [] contract [1] x [0] : tensor<2x4xf64>, tensor<4x3xf64> -> tensor<2x3xf64>
  %d = array.dot_general %y, %a batch [] x [] contract [0] x [1] : tensor<4x3xf64>, tensor<2x4xf64> -> tensor<3x2xf64>
  %b = array.broadcast %v dims [0] : tensor<5xf64> -> tensor<5x3xf64>
  %e = array.dot_general %b, %y batch [] x [] contract [1] x [1] : tensor<5x3xf64>, tensor<4x3xf64> -> tensor<5x4xf64>
  func.return %c, %d, %e : tensor<2x3xf64>, tensor<3x2xf64>, tensor<5x4xf64>
}

// CHECK-LABEL: func.func @repeated
// CHECK-NEXT:    %0 = array.dot_general %x, %y batch [] x [] contract [0] x [0] : tensor<4xf64>, tensor<4x3xf64> -> tensor<3xf64>
// CHECK-NEXT:    %c = array.broadcast %0 dims [1] : tensor<3xf64> -> tensor<2x3xf64>
// CHECK-NEXT:    %1 = array.dot_general %y, %x batch [] x [] contract [0] x [0] : tensor<4x3xf64>, tensor<4xf64> -> tensor<3xf64>
// CHECK-NEXT:    %d = array.broadcast %1 dims [0] : tensor<3xf64> -> tensor<3x2xf64>
// CHECK-NEXT:    %b = array.broadcast %v dims [0] : tensor<5xf64> -> tensor<5x3xf64>
// CHECK-NEXT:    %e = array.dot_general %b, %y batch [] x [] contract [1] x [1] : tensor<5x3xf64>, tensor<4x3xf64> -> tensor<5x4xf64>
// CHECK-NEXT:    func.return %c, %d, %e

func.func @nothing(%x: tensor<2x0xf64>, %y: tensor<0x3xf64>) -> tensor<2x3xf64> {
  %a = array.dot_general %x, %y batch [] x [] contract [1] x [0] : tensor<2x0xf64>, tensor<0x3xf64> -> tensor<2x3xf64>
  func.return %a : tensor<2x3xf64>
}

// CHECK-LABEL: func.func @nothing
// CHECK-NEXT:    %a = array.constant dense<0.000000e+00> : tensor<2x3xf64>
// CHECK-NEXT:    func.return %a

// A product that is used otherwise too is not computed twice.

func.func @used_otherwise(%x: tensor<2x4xf64>, %y: tensor<4x3xf64>) -> (tensor<2x3xf64>, tensor<3x2xf64>) {
  %a = array.dot_general %x, %y batch [] x [] contract [1] x [0] : tensor<2x4xf64>, tensor<4x3xf64> -> tensor<2x3xf64>
  %b = array.transpose %a permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
  func.return %a, %b : tensor<2x3xf64>, tensor<3x2xf64>
}

// CHECK-LABEL: func.func @used_otherwise
// CHECK-NEXT:    %a = array.dot_general %x, %y batch [] x [] contract [1] x [0] : tensor<2x4xf64>, tensor<4x3xf64> -> tensor<2x3xf64>
// CHECK-NEXT:    %b = array.transpose %a permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
// CHECK-NEXT:    func.return %a, %b

// A use that turns out to be dead does not count.

func.func @used_by_dead_code(%x: tensor<2x4xf64>, %y: tensor<4x3xf64>) -> tensor<3x2xf64> {
  %a = array.dot_general %x, %y batch [] x [] contract [1] x [0] : tensor<2x4xf64>, tensor<4x3xf64> -> tensor<2x3xf64>
  %b = array.transpose %a permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
  %c = array.neg %a : tensor<2x3xf64>
  func.return %b : tensor<3x2xf64>
}

// CHECK-LABEL: func.func @used_by_dead_code
// CHECK-NEXT:    %b = array.dot_general %y, %x batch [] x [] contract [0] x [1] : tensor<4x3xf64>, tensor<2x4xf64> -> tensor<3x2xf64>
// CHECK-NEXT:    func.return %b
