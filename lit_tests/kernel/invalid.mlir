// RUN: gradatim-opt %s --split-input-file --verify-diagnostics | filecheck %s

func.func @types(%x: tensor<4xf32>) {
  %y = kernel.fusion ins(%a = %x : tensor<4xf32>) schedule<rows = []> {
    kernel.yield %a : tensor<4xf32>
  } -> (tensor<8xf32>)
  func.return
}
// CHECK: kernel.fusion: yielded values are (f32[4]), not (f32[8])

// -----

func.func @forms(%x: memref<4xf32>) {
  %y = kernel.fusion ins(%a = %x : memref<4xf32>) schedule<rows = []> {
    kernel.yield %a : tensor<4xf32>
  } -> (tensor<4xf32>)
  func.return
}
// CHECK: kernel.fusion: on memrefs it needs outs, and has no results

// -----

func.func @rows(%x: tensor<4x8xf32>) {
  %y = kernel.fusion ins(%a = %x : tensor<4x8xf32>) schedule<rows = [2]> {
    kernel.yield %a : tensor<4x8xf32>
  } -> (tensor<4x8xf32>)
  func.return
}
// CHECK: kernel.fusion: rows = [2] are not rising dimensions of [4, 8]

// -----

func.func @parallel(%x: tensor<4x8xf32>) {
  %y = kernel.fusion ins(%a = %x : tensor<4x8xf32>) schedule<rows = [0], parallel = [1]> {
    kernel.yield %a : tensor<4x8xf32>
  } -> (tensor<4x8xf32>)
  func.return
}
// CHECK: kernel.fusion: parallel = [1] are not the first of [0]

// -----

// A reduction whose result the body uses runs over all columns.
func.func @reduction(%x: tensor<4x8xf32>) {
  %y = kernel.fusion ins(%a = %x : tensor<4x8xf32>) schedule<rows = [0]> {
    %s = array.reduce add %a dims [0] : tensor<4x8xf32> -> tensor<8xf32>
    %b = array.broadcast %s dims [1] : tensor<8xf32> -> tensor<4x8xf32>
    %d = array.div %a, %b : tensor<4x8xf32>
    kernel.yield %d : tensor<4x8xf32>
  } -> (tensor<4x8xf32>)
  func.return
}
// CHECK: kernel.fusion: a reduction over [0] does not fit rows = [0]

// -----

// Two loop nests are no fusion.
func.func @space(%x: tensor<4xf32>, %y: tensor<8xf32>) {
  %r:2 = kernel.fusion ins(%a = %x : tensor<4xf32>, %b = %y : tensor<8xf32>) schedule<rows = []> {
    %p = array.neg %a : tensor<4xf32>
    %q = array.neg %b : tensor<8xf32>
    kernel.yield %p, %q : tensor<4xf32>, tensor<8xf32>
  } -> (tensor<4xf32>, tensor<8xf32>)
  func.return
}
// CHECK: kernel.fusion: a value f32[4] is not in the loops over [8]

// -----

// Nor is an outer sum of a value with itself.
func.func @twice(%x: tensor<4xf32>) {
  %r = kernel.fusion ins(%a = %x : tensor<4xf32>) schedule<rows = []> {
    %n = array.neg %a : tensor<4xf32>
    %p = array.broadcast %n dims [0] : tensor<4xf32> -> tensor<4x4xf32>
    %q = array.broadcast %n dims [1] : tensor<4xf32> -> tensor<4x4xf32>
    %s = array.add %p, %q : tensor<4x4xf32>
    kernel.yield %s : tensor<4x4xf32>
  } -> (tensor<4x4xf32>)
  func.return
}
// CHECK: kernel.fusion: a value f32[4] would run along two dimensions at once

// -----

func.func @large(%x: tensor<100xf64>) {
  %y = kernel.fusion ins(%a = %x : tensor<100xf64>) schedule<registers = true> {
    %b = array.sin %a : tensor<100xf64>
    kernel.yield %b : tensor<100xf64>
  } -> (tensor<100xf64>)
  func.return
}
// CHECK: kernel.fusion: array.sin cannot be computed in registers

// -----

func.func @load(%x: memref<100xf64>) {
  %y = kernel.load %x : memref<100xf64> -> tensor<100xf64>
  func.return
}
// CHECK: kernel.load: f64[100] cannot be kept in registers

// -----

func.func @store(%x: memref<3xf64>, %y: tensor<4xf64>) {
  kernel.store %y, %x : tensor<4xf64>, memref<3xf64>
  func.return
}
// CHECK: kernel.store: the buffer holds f64[3], not f64[4]

// -----

func.func @record(%t: !kernel.tape) {
  %u, %r = kernel.tape_pop %t : !kernel.tape -> !kernel.tape, memref<2xf64>
  func.return
}
// CHECK: kernel.tape_pop: a record is bytes, not memref<2xf64>

// -----

func.func @interleaved(%x: memref<8xf32>, %v: vector<4xf32>) {
  %i = arith.constant 0 : index
  kernel.interleaved_store %v to %x[%i] : vector<4xf32> to memref<8xf32>
  func.return
}
// CHECK: kernel.interleaved_store: takes two or more vectors of one type
