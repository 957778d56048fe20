// RUN: gradatim-opt %s -p array-fuse,kernel-bufferize | filecheck %s

// An in-out argument is overwritten: there is no buffer for its new contents.
func.func @in_place(%x: tensor<80xf64>, %y: tensor<80xf64>) -> tensor<80xf64> attributes {gradatim.inout = array<i64: 0>} {
  %0 = array.mul %x, %y : tensor<80xf64>
  func.return %0 : tensor<80xf64>
}

// Other results have buffers, as ever, wherever they stand.
func.func @beside_others(%x: tensor<80xf64>, %y: tensor<80xf64>) -> (tensor<80xf64>, tensor<80xf64>) attributes {gradatim.inout = array<i64: 1, -1>} {
  %0 = array.exp %y : tensor<80xf64>
  %1 = array.sin %x : tensor<80xf64>
  func.return %0, %1 : tensor<80xf64>, tensor<80xf64>
}

// What was there and is returned is copied before it is overwritten.
func.func @old(%x: tensor<80xf64>) -> (tensor<80xf64>, tensor<80xf64>) attributes {gradatim.inout = array<i64: 0, -1>} {
  %0 = array.exp %x : tensor<80xf64>
  func.return %0, %x : tensor<80xf64>, tensor<80xf64>
}

// One of the values that go round is put aside.
func.func @exchange(%x: tensor<80xf64>, %y: tensor<80xf64>) -> (tensor<80xf64>, tensor<80xf64>) attributes {gradatim.inout = array<i64: 0, 1>} {
  func.return %y, %x : tensor<80xf64>, tensor<80xf64>
}

// A loop changes the argument where it is.
func.func @loop(%x: tensor<80xf64>, %w: tensor<80xf64>) -> tensor<80xf64> attributes {gradatim.inout = array<i64: 0>} {
  %0 = array.scan length 9 consts(%w : tensor<80xf64>) carries(%x : tensor<80xf64>) {
  ^bb0(%i: tensor<i64>, %v: tensor<80xf64>, %y: tensor<80xf64>):
    %1 = array.mul %y, %v : tensor<80xf64>
    array.yield %1 : tensor<80xf64>
  }
  func.return %0 : tensor<80xf64>
}
