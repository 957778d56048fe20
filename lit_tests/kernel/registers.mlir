// RUN: gradatim-opt %s | gradatim-opt | filecheck %s

// Once bufferised, small arrays stay in registers: among the operands, and as results after the
// values that go to memory.
func.func @registers(%x: memref<3xf64>, %y: memref<f64>) {
  %a = kernel.load %x : memref<3xf64> -> tensor<3xf64>
  %b = kernel.fusion ins(%c = %a : tensor<3xf64>) outs(%y : memref<f64>) schedule<vector = 8, registers = true> {
    %s = array.reduce add %c dims [0] : tensor<3xf64> -> tensor<f64>
    kernel.yield %s, %c : tensor<f64>, tensor<3xf64>
  } -> (tensor<3xf64>)
  kernel.store %b, %x : tensor<3xf64>, memref<3xf64>
  func.return
}
// CHECK-LABEL: func.func @registers
// CHECK-NEXT:  %a = kernel.load %x : memref<3xf64> -> tensor<3xf64>
// CHECK-NEXT:  %b = kernel.fusion ins(%c = %a : tensor<3xf64>) outs(%y : memref<f64>) schedule<rows = [], vector = 8, registers = true> {
// CHECK:         kernel.yield %s, %c : tensor<f64>, tensor<3xf64>
// CHECK-NEXT:  } -> (tensor<3xf64>)
// CHECK-NEXT:  kernel.store %b, %x : tensor<3xf64>, memref<3xf64>

func.func @tape(%status: memref<i32>) {
  %t = kernel.tape_new : !kernel.tape
  %u, %r = kernel.tape_push %t status %status : !kernel.tape, memref<i32> -> !kernel.tape, memref<16xi8>
  %v, %s = kernel.tape_pop %u : !kernel.tape -> !kernel.tape, memref<16xi8>
  kernel.tape_free %v record 16 : !kernel.tape
  func.return
}
// CHECK-LABEL: func.func @tape
// CHECK-NEXT:  %t = kernel.tape_new : !kernel.tape
// CHECK-NEXT:  %u, %r = kernel.tape_push %t status %status : !kernel.tape, memref<i32> -> !kernel.tape, memref<16xi8>
// CHECK-NEXT:  %v, %s = kernel.tape_pop %u : !kernel.tape -> !kernel.tape, memref<16xi8>
// CHECK-NEXT:  kernel.tape_free %v record 16 : !kernel.tape
