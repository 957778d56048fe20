// RUN: gradatim-opt %s -p kernel-lower-to-loops | filecheck %s

// A small array is held in vectors of powers of two, and loops carry those.
func.func @vectors(%x: memref<24xf64>, %out: memref<24xf64>) {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %c1 = arith.constant 1 : index
  %start = kernel.load %x : memref<24xf64> -> tensor<24xf64>
  %y = scf.for %i = %c0 to %c5 step %c1 iter_args(%a = %start) -> (tensor<24xf64>) {
    %b = kernel.fusion ins(%v = %a : tensor<24xf64>) schedule<vector = 8, registers = true> {
      %w = array.mul %v, %v : tensor<24xf64>
      kernel.yield %w : tensor<24xf64>
    } -> (tensor<24xf64>)
    scf.yield %b : tensor<24xf64>
  }
  kernel.store %y, %out : tensor<24xf64>, memref<24xf64>
  func.return
}
// CHECK-LABEL: func.func @vectors
// CHECK:       %[[A:.*]] = vector.load %x[%{{.*}}] : memref<24xf64>, vector<16xf64>
// CHECK-NEXT:  %[[B:.*]] = vector.load %x[%{{.*}}] : memref<24xf64>, vector<8xf64>
// CHECK-NEXT:  %[[C:.*]], %[[D:.*]] = scf.for {{.*}} iter_args(%[[E:.*]] = %[[A]], %[[F:.*]] = %[[B]]) -> (vector<16xf64>, vector<8xf64>) {
// CHECK-NEXT:    %[[G:.*]] = arith.mulf %[[E]], %[[E]]
// CHECK-NEXT:    %[[H:.*]] = arith.mulf %[[F]], %[[F]]
// CHECK-NEXT:    scf.yield %[[G]], %[[H]] : vector<16xf64>, vector<8xf64>
// CHECK-NEXT:  }
// CHECK-NEXT:  vector.store %[[C]], %out
// CHECK-NEXT:  vector.store %[[D]], %out

// Ops that move elements make no code of their own; several of them are one shuffle.
func.func @moves(%x: memref<8xf32>, %out: memref<8xf32>) {
  kernel.fusion ins(%v = %x : memref<8xf32>) outs(%out : memref<8xf32>) schedule<vector = 8, registers = true> {
    %r = array.reverse %v dims [0] : tensor<8xf32>
    %a = array.slice %r starts [1] limits [8] strides [1] : tensor<8xf32> -> tensor<7xf32>
    %b = array.slice %v starts [0] limits [1] strides [1] : tensor<8xf32> -> tensor<1xf32>
    %c = array.concatenate %a, %b dim 0 : tensor<7xf32>, tensor<1xf32> -> tensor<8xf32>
    %d = array.add %c, %v : tensor<8xf32>
    kernel.yield %d : tensor<8xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @moves
// CHECK:       %[[V:.*]] = vector.load %x
// CHECK-NEXT:  %[[S:.*]] = vector.shuffle %[[V]], %[[V]] [6, 5, 4, 3, 2, 1, 0, 0]
// CHECK-NEXT:  arith.addf %[[S]], %[[V]]
// CHECK-NEXT:  vector.store

// Functions are called on vectors of the processor's width.
func.func @functions(%x: memref<16xf64>, %out: memref<f64>) {
  kernel.fusion ins(%v = %x : memref<16xf64>) outs(%out : memref<f64>) schedule<vector = 8, registers = true> {
    %e = array.exp %v : tensor<16xf64>
    %s = array.reduce add %e dims [0] : tensor<16xf64> -> tensor<f64>
    kernel.yield %s : tensor<f64>
  }
  func.return
}
// CHECK-LABEL: func.func @functions
// CHECK-COUNT-4: math.exp %{{.*}} : vector<4xf64>
// CHECK:       vector.reduction <add>, %{{.*}} : vector<16xf64> into f64

// Steps that are written out: three at a time, and the one that is left over.
func.func @unrolled(%x: memref<f64>, %out: memref<f64>) {
  %c0 = arith.constant 0 : index
  %c7 = arith.constant 7 : index
  %c1 = arith.constant 1 : index
  %start = kernel.load %x : memref<f64> -> tensor<f64>
  %y = scf.for %i = %c0 to %c7 step %c1 iter_args(%a = %start) -> (tensor<f64>) {
    %k = arith.index_cast %i : index to i64
    %n = tensor.from_elements %k : tensor<i64>
    %b = kernel.fusion ins(%v = %a : tensor<f64>, %m = %n : tensor<i64>) schedule<vector = 8, registers = true> {
      %f = array.convert %m : tensor<i64> -> tensor<f64>
      %w = array.mul %v, %f : tensor<f64>
      kernel.yield %w : tensor<f64>
    } -> (tensor<f64>)
    scf.yield %b : tensor<f64>
  } {kernel.unroll = 3 : i64}
  kernel.store %y, %out : tensor<f64>, memref<f64>
  func.return
}
// CHECK-LABEL: func.func @unrolled
// CHECK:       %[[L:.*]] = scf.for %[[I:.*]] = %{{.*}} iter_args(%[[A:.*]] = %{{.*}}) -> (f64) {
// CHECK:         %[[B:.*]] = arith.mulf %[[A]],
// CHECK:         %[[C:.*]] = arith.mulf %[[B]],
// CHECK:         %[[D:.*]] = arith.mulf %[[C]],
// CHECK-NEXT:    scf.yield %[[D]] : f64
// CHECK-NEXT:  }
// CHECK:       arith.mulf %[[L]],
// CHECK-NOT:   arith.mulf
// CHECK:       func.return

// What is in registers is put on the stack where a loop needs it in memory.
func.func @spilled(%x: memref<9xf64>, %out: memref<100x9xf64>) {
  %a = kernel.load %x : memref<9xf64> -> tensor<9xf64>
  kernel.fusion ins(%v = %a : tensor<9xf64>) outs(%out : memref<100x9xf64>) schedule<rows = [0], vector = 4> {
    %b = array.broadcast %v dims [1] : tensor<9xf64> -> tensor<100x9xf64>
    kernel.yield %b : tensor<100x9xf64>
  }
  func.return
}
// CHECK-LABEL: func.func @spilled
// CHECK:       %[[S:.*]] = memref.alloca() : memref<9xf64>
// CHECK-NEXT:  vector.store %{{.*}}, %[[S]][%{{.*}}] : memref<9xf64>, vector<8xf64>
// CHECK-NEXT:  memref.store %{{.*}}, %[[S]][%{{.*}}] : memref<9xf64>
// CHECK:       vector.load %[[S]]

// Numbers are between registers and loops without memory, and a branch gives several.
func.func @branch(%p: memref<i1>, %x: memref<2xf64>, %out: memref<2xf64>) {
  %q = kernel.load %p : memref<i1> -> tensor<i1>
  %c = tensor.extract %q[] : tensor<i1>
  %a = kernel.load %x : memref<2xf64> -> tensor<2xf64>
  %y = scf.if %c -> (tensor<2xf64>) {
    scf.yield %a : tensor<2xf64>
  } else {
    %b = kernel.fusion ins(%v = %a : tensor<2xf64>) schedule<vector = 8, registers = true> {
      %w = array.reverse %v dims [0] : tensor<2xf64>
      kernel.yield %w : tensor<2xf64>
    } -> (tensor<2xf64>)
    scf.yield %b : tensor<2xf64>
  }
  kernel.store %y, %out : tensor<2xf64>, memref<2xf64>
  func.return
}
// CHECK-LABEL: func.func @branch
// CHECK:       %[[C:.*]] = memref.load %{{.*}} : memref<1xi1>
// CHECK-NEXT:  %[[A:.*]] = memref.load %x
// CHECK-NEXT:  %[[B:.*]] = memref.load %x
// CHECK-NEXT:  %{{.*}}, %{{.*}} = scf.if %[[C]] -> (f64, f64) {
// CHECK-NEXT:    scf.yield %[[A]], %[[B]] : f64, f64
// CHECK-NEXT:  } else {
// CHECK-NEXT:    scf.yield %[[B]], %[[A]] : f64, f64
