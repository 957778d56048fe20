// RUN: gradatim-opt %s -p array-fuse,kernel-bufferize | filecheck %s

// An in-out argument is overwritten: there is no buffer for its new contents.
func.func @in_place(%x: tensor<80xf64>, %y: tensor<80xf64>) -> tensor<80xf64> attributes {gradatim.inout = array<i64: 0>} {
  %0 = array.mul %x, %y : tensor<80xf64>
  func.return %0 : tensor<80xf64>
}
// CHECK-LABEL: func.func @in_place(%x: memref<80xf64>, %y: memref<80xf64>) attributes {gradatim.inout = array<i64: 0>}
// CHECK-NEXT: kernel.fusion ins(%x_1 = %x : memref<80xf64>, %y_1 = %y : memref<80xf64>) outs(%x : memref<80xf64>)
// CHECK-NOT: memref.copy
// CHECK: func.return

// Other results have buffers, as ever, wherever they stand.
func.func @beside_others(%x: tensor<80xf64>, %y: tensor<80xf64>) -> (tensor<80xf64>, tensor<80xf64>) attributes {gradatim.inout = array<i64: 1, -1>} {
  %0 = array.exp %y : tensor<80xf64>
  %1 = array.sin %x : tensor<80xf64>
  func.return %0, %1 : tensor<80xf64>, tensor<80xf64>
}
// CHECK-LABEL: func.func @beside_others(%x: memref<80xf64>, %y: memref<80xf64>, %out1: memref<80xf64>)
// CHECK-NEXT: kernel.fusion ins(%y_1 = %y : memref<80xf64>, %x_1 = %x : memref<80xf64>) outs(%y : memref<80xf64>, %out1 : memref<80xf64>)
// CHECK-NOT: memref.copy
// CHECK: func.return

// What is returned as it was is copied first.
func.func @old(%x: tensor<80xf64>) -> (tensor<80xf64>, tensor<80xf64>) attributes {gradatim.inout = array<i64: 0, -1>} {
  %0 = array.exp %x : tensor<80xf64>
  func.return %0, %x : tensor<80xf64>, tensor<80xf64>
}
// CHECK-LABEL: func.func @old(%x: memref<80xf64>, %out1: memref<80xf64>)
// CHECK-NEXT: "memref.copy"(%x, %out1) {kernel.reason = "an in-out argument is returned as it was"}
// CHECK-NEXT: kernel.fusion ins(%x_1 = %x : memref<80xf64>) outs(%x : memref<80xf64>)
// CHECK-NOT: memref.copy
// CHECK: func.return

// One of the values that go round is put aside.
func.func @exchange(%x: tensor<80xf64>, %y: tensor<80xf64>) -> (tensor<80xf64>, tensor<80xf64>) attributes {gradatim.inout = array<i64: 0, 1>} {
  func.return %y, %x : tensor<80xf64>, tensor<80xf64>
}
// CHECK-LABEL: func.func @exchange(%x: memref<80xf64>, %y: memref<80xf64>)
// CHECK: [[ASIDE:%.*]] = memref.view
// CHECK-NEXT: "memref.copy"(%y, [[ASIDE]]) {kernel.reason = "what it is copied from is overwritten"}
// CHECK-NEXT: "memref.copy"(%x, %y)
// CHECK-NEXT: "memref.copy"([[ASIDE]], %x)
// CHECK-NEXT: func.return

// A loop changes the argument where it is.
func.func @loop(%x: tensor<80xf64>, %w: tensor<80xf64>) -> tensor<80xf64> attributes {gradatim.inout = array<i64: 0>} {
  %0 = array.scan length 9 consts(%w : tensor<80xf64>) carries(%x : tensor<80xf64>) {
  ^bb0(%i: tensor<i64>, %v: tensor<80xf64>, %y: tensor<80xf64>):
    %1 = array.mul %y, %v : tensor<80xf64>
    array.yield %1 : tensor<80xf64>
  }
  func.return %0 : tensor<80xf64>
}
// CHECK-LABEL: func.func @loop(%x: memref<80xf64>, %w: memref<80xf64>)
// CHECK: scf.for
// CHECK-NEXT: kernel.fusion ins(%y = %x : memref<80xf64>, %v = %w : memref<80xf64>) outs(%x : memref<80xf64>)
// CHECK-NOT: memref.copy
// CHECK: func.return
