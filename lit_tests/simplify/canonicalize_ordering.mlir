// RUN: gradatim-opt %s -p array-canonicalize --split-input-file | filecheck %s

// One element is sorted.

func.func @one(%x: tensor<3x1xf32>) -> (tensor<3x1xf32>, tensor<3x1xi64>) {
  %s, %p = array.sort %x dim 1 keys 1 : tensor<3x1xf32> -> tensor<3x1xf32>, tensor<3x1xi64>
  func.return %s, %p : tensor<3x1xf32>, tensor<3x1xi64>
}

// CHECK-LABEL: func.func @one
// CHECK-NEXT:    %p = array.constant dense<0> : tensor<3x1xi64>
// CHECK-NEXT:    func.return %x, %p

// -----

// What is sorted stays so; an array that was sorted with it may not be.

func.func @twice(%x: tensor<4xf32>, %y: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xi32>) {
  %s, %t, %p = array.sort %x, %y dim 0 keys 1 : tensor<4xf32>, tensor<4xi32> -> tensor<4xf32>, tensor<4xi32>, tensor<4xi64>
  %a, %p1 = array.sort %s dim 0 keys 1 : tensor<4xf32> -> tensor<4xf32>, tensor<4xi64>
  %b, %c, %p2 = array.sort %s, %t dim 0 keys 2 : tensor<4xf32>, tensor<4xi32> -> tensor<4xf32>, tensor<4xi32>, tensor<4xi64>
  func.return %a, %b, %c : tensor<4xf32>, tensor<4xf32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @twice
// CHECK-NEXT:    %s, %t, %p = array.sort %x, %y dim 0 keys 1
// CHECK-NEXT:    [[B:%.*]], [[C:%.*]], {{%.*}} = array.sort %s, %t dim 0 keys 2
// CHECK-NEXT:    func.return %s, [[B]], [[C]]

// -----

// The keys of a sort by two are in order by the first, and by both.

func.func @prefix(%x: tensor<4xf32>, %y: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  %s, %t, %p = array.sort %x, %y dim 0 keys 2 : tensor<4xf32>, tensor<4xi32> -> tensor<4xf32>, tensor<4xi32>, tensor<4xi64>
  %a, %p1 = array.sort %s dim 0 keys 1 : tensor<4xf32> -> tensor<4xf32>, tensor<4xi64>
  %b, %c, %p2 = array.sort %s, %t dim 0 keys 2 : tensor<4xf32>, tensor<4xi32> -> tensor<4xf32>, tensor<4xi32>, tensor<4xi64>
  func.return %a, %c : tensor<4xf32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @prefix
// CHECK-NEXT:    %s, %t, %p = array.sort
// CHECK-NEXT:    func.return %s, %t

// -----

// Another dimension is another matter.

func.func @across(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %s, %p = array.sort %x dim 0 keys 1 : tensor<4x4xf32> -> tensor<4x4xf32>, tensor<4x4xi64>
  %a, %q = array.sort %s dim 1 keys 1 : tensor<4x4xf32> -> tensor<4x4xf32>, tensor<4x4xi64>
  func.return %a : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @across
// CHECK:         array.sort %s dim 1

// -----

// Numbers of elements are the permutation, in any dtype that has them all.

func.func @argsort(%x: tensor<2x200xf32>) -> (tensor<2x200xi32>, tensor<2x200xi8>) {
  %i = array.iota dim 1 : tensor<2x200xi32>
  %j = array.iota dim 1 : tensor<2x200xi8>
  %s, %a, %b, %p = array.sort %x, %i, %j dim 1 keys 1 : tensor<2x200xf32>, tensor<2x200xi32>, tensor<2x200xi8> -> tensor<2x200xf32>, tensor<2x200xi32>, tensor<2x200xi8>, tensor<2x200xi64>
  func.return %a, %b : tensor<2x200xi32>, tensor<2x200xi8>
}

// CHECK-LABEL: func.func @argsort
// CHECK-NEXT:    %j = array.iota dim 1 : tensor<2x200xi8>
// CHECK-NEXT:    %s, %b, %p = array.sort %x, %j dim 1 keys 1
// CHECK-NEXT:    %a = array.convert %p : tensor<2x200xi64> -> tensor<2x200xi32>
// CHECK-NEXT:    func.return %a, %b

// -----

// A key that was a key before, or is the same all along, decides nothing.

func.func @keys(%x: tensor<4x3xf32>, %y: tensor<3xf32>, %z: tensor<4x3xi1>) -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xi1>) {
  %r = array.broadcast %y dims [1] : tensor<3xf32> -> tensor<4x3xf32>
  %a, %b, %c, %d, %p = array.sort %r, %x, %x, %z dim 0 keys 4 : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xi1> -> tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xi1>, tensor<4x3xi64>
  func.return %a, %b, %c, %d : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xi1>
}

// CHECK-LABEL: func.func @keys
// CHECK-NEXT:    %r = array.broadcast %y
// CHECK-NEXT:    %b, %d, %p = array.sort %x, %z dim 0 keys 2
// CHECK-NEXT:    func.return %r, %b, %b, %d

// -----

// Behind numbers no key decides; numbers in front, or the same everywhere, keep the order.

func.func @numbers(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %i = array.iota dim 0 : tensor<4xi64>
  %one = array.constant dense<1.0> : tensor<4xf32>
  %a, %j, %b, %p = array.sort %x, %i, %y dim 0 keys 3 : tensor<4xf32>, tensor<4xi64>, tensor<4xf32> -> tensor<4xf32>, tensor<4xi64>, tensor<4xf32>, tensor<4xi64>
  %k, %c, %q = array.sort %i, %y dim 0 keys 1 : tensor<4xi64>, tensor<4xf32> -> tensor<4xi64>, tensor<4xf32>, tensor<4xi64>
  %l, %d, %r = array.sort %one, %c dim 0 keys 1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4xi64>
  func.return %b, %d : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @numbers
// CHECK-NEXT:    %i = array.iota
// CHECK-NEXT:    %a, %j, %b, %p = array.sort %x, %i, %y dim 0 keys 2
// CHECK-NEXT:    func.return %b, %y

// -----

// What is repeated is sorted once.

func.func @repeated(%x: tensor<5xf32>, %y: tensor<5xi32>) -> tensor<3x5xi32> {
  %a = array.broadcast %x dims [1] : tensor<5xf32> -> tensor<3x5xf32>
  %b = array.broadcast %y dims [1] : tensor<5xi32> -> tensor<3x5xi32>
  %s, %t, %p = array.sort %a, %b dim 1 keys 1 : tensor<3x5xf32>, tensor<3x5xi32> -> tensor<3x5xf32>, tensor<3x5xi32>, tensor<3x5xi64>
  func.return %t : tensor<3x5xi32>
}

// CHECK-LABEL: func.func @repeated
// CHECK-NEXT:    {{%.*}}, [[T:%.*]], {{%.*}} = array.sort %x, %y dim 0 keys 1
// CHECK-NEXT:    %t = array.broadcast [[T]] dims [1]
// CHECK-NEXT:    func.return %t

// -----

// Arrays that are sorted to no purpose are left out; a key is not.

func.func @unused(%x: tensor<5xf32>, %y: tensor<5xi32>, %z: tensor<5xi1>) -> (tensor<5xi1>, tensor<5xi64>) {
  %a, %b, %c, %p = array.sort %x, %y, %z dim 0 keys 1 : tensor<5xf32>, tensor<5xi32>, tensor<5xi1> -> tensor<5xf32>, tensor<5xi32>, tensor<5xi1>, tensor<5xi64>
  func.return %c, %p : tensor<5xi1>, tensor<5xi64>
}

// CHECK-LABEL: func.func @unused
// CHECK-NEXT:    %a, %c, %p = array.sort %x, %z dim 0 keys 1 : tensor<5xf32>, tensor<5xi1> -> tensor<5xf32>, tensor<5xi1>, tensor<5xi64>
// CHECK-NEXT:    func.return %c, %p

// -----

// Equal sorts are one.

func.func @same(%x: tensor<5xf32>) -> (tensor<5xf32>, tensor<5xi64>) {
  %a, %p = array.sort %x dim 0 keys 1 : tensor<5xf32> -> tensor<5xf32>, tensor<5xi64>
  %b, %q = array.sort %x dim 0 keys 1 : tensor<5xf32> -> tensor<5xf32>, tensor<5xi64>
  func.return %a, %q : tensor<5xf32>, tensor<5xi64>
}

// CHECK-LABEL: func.func @same
// CHECK-NEXT:    %a, %p = array.sort
// CHECK-NEXT:    func.return %a, %p
