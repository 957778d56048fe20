// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// Whole vectors: one loop, no rest.

// CHECK-LABEL: func.func @whole_vectors
// CHECK:         scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:      %[[X:.*]] = vector.load %{{.*}}[%[[I]]] : memref<64xf64>, vector<8xf64>
// CHECK-NEXT:      %[[S:.*]] = math.sin %[[X]] fastmath<contract> : vector<8xf64>
// CHECK-NEXT:      vector.store %[[S]], %{{.*}}[%[[I]]] : memref<64xf64>, vector<8xf64>
// CHECK-NEXT:    }
func.func @whole_vectors(%x: memref<64xf64>, %y: memref<64xf64>) {
  kernel.fusion ins(%a = %x : memref<64xf64>) outs(%y : memref<64xf64>) schedule<rows = [], vector = 8> {
    %s = array.sin %a : tensor<64xf64>
    kernel.yield %s : tensor<64xf64>
  }
  func.return
}

// -----

// The last vector starts earlier where the extent is no multiple of the lanes.

// CHECK-LABEL: func.func @overlap
// CHECK:         %[[LAST:.*]] = arith.constant 5 : index
// CHECK:         scf.for %[[I:.*]] =
// CHECK-NEXT:      %[[P:.*]] = arith.minsi %[[I]], %[[LAST]] : index
// CHECK-NEXT:      vector.load %{{.*}}[%[[P]]]
func.func @overlap(%x: memref<13xf64>, %y: memref<13xf64>) {
  kernel.fusion ins(%a = %x : memref<13xf64>) outs(%y : memref<13xf64>) schedule<rows = [], vector = 8> {
    %s = array.neg %a : tensor<13xf64>
    kernel.yield %s : tensor<13xf64>
  }
  func.return
}

// -----

// In place, no element may be computed twice: surplus lanes are masked.

// CHECK-LABEL: func.func @in_place
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[LEFT:.*]] = arith.subi %{{.*}}, %[[I]] : index
// CHECK-NEXT:      %[[M:.*]] = vector.create_mask %[[LEFT]] : vector<8xi1>
// CHECK-NEXT:      %[[X:.*]] = vector.maskedload %{{.*}}[%[[I]]], %[[M]], %{{.*}}
// CHECK:           vector.maskedstore %{{.*}}[%[[I]]], %[[M]], %{{.*}}
func.func @in_place(%x: memref<13xf64>) {
  kernel.fusion ins(%a = %x : memref<13xf64>) outs(%x : memref<13xf64>) schedule<rows = [], vector = 8> {
    %s = array.neg %a : tensor<13xf64>
    kernel.yield %s : tensor<13xf64>
  }
  func.return
}

// -----

// Scalars need no loop.

// CHECK-LABEL: func.func @scalar
// CHECK-NOT:     scf.for
// CHECK:         %[[X:.*]] = memref.load
// CHECK-NEXT:    math.exp %[[X]] fastmath<contract> : f64
func.func @scalar(%x: memref<f64>, %y: memref<f64>) {
  kernel.fusion ins(%a = %x : memref<f64>) outs(%y : memref<f64>) schedule<rows = [], vector = 1> {
    %s = array.exp %a : tensor<f64>
    kernel.yield %s : tensor<f64>
  }
  func.return
}

// -----

// A matrix whose elements are all alike is one loop.

// CHECK-LABEL: func.func @collapsed
// CHECK:         %[[N:.*]] = arith.constant 96 : index
// CHECK:         scf.for %{{.*}} = %{{.*}} to %[[N]] step
// CHECK-NOT:     scf.for
func.func @collapsed(%x: memref<4x24xf64>, %y: memref<4x24xf64>) {
  kernel.fusion ins(%a = %x : memref<4x24xf64>) outs(%y : memref<4x24xf64>) schedule<rows = [], vector = 8> {
    %s = array.neg %a : tensor<4x24xf64>
    kernel.yield %s : tensor<4x24xf64>
  }
  func.return
}

// -----

// The number of an element is its place in the joined loops, counted in its own dtype.

// CHECK-LABEL: func.func @numbered
// CHECK-DAG:     %[[LANES:.*]] = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7]> : vector<8xi32>
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[P:.*]] = arith.index_cast %{{.*}} : index to i64
// CHECK-NEXT:      %[[N:.*]] = kernel.cast "trunci" %[[P]] : i64 -> i32
// CHECK-NEXT:      %[[B:.*]] = vector.broadcast %[[N]] : i32 to vector<8xi32>
// CHECK-NEXT:      arith.addi %[[B]], %[[LANES]] : vector<8xi32>
// CHECK-NOT:     scf.for
func.func @numbered(%x: memref<20x3xui32>, %y: memref<20x3xui32>) {
  kernel.fusion ins(%a = %x : memref<20x3xui32>) outs(%y : memref<20x3xui32>) schedule<rows = [], vector = 8> {
    %i = array.iota dim 0 : tensor<60xui32>
    %n = array.reshape %i : tensor<60xui32> -> tensor<20x3xui32>
    %s = array.add %a, %n : tensor<20x3xui32>
    kernel.yield %s : tensor<20x3xui32>
  }
  func.return
}

// -----

// Shifts by less than the width are one op; other amounts are looked at.

// CHECK-LABEL: func.func @bits
// CHECK:         %[[X:.*]] = vector.load %{{.*}} : memref<8xi32>, vector<8xi32>
// CHECK-NEXT:    %[[S:.*]] = arith.shrui %[[X]], %{{.*}} : vector<8xi32>
// CHECK-NEXT:    kernel.compare "ule"
// CHECK-NEXT:    kernel.select
// CHECK-NEXT:    arith.shli %[[S]]
func.func @bits(%x: memref<8xui32>, %y: memref<8xui32>) {
  kernel.fusion ins(%a = %x : memref<8xui32>) outs(%y : memref<8xui32>) schedule<rows = [], vector = 8> {
    %c = array.constant dense<9> : tensor<8xui32>
    %s = array.shift_right_logical %a, %c : tensor<8xui32>
    %t = array.shift_left %s, %a : tensor<8xui32>
    kernel.yield %t : tensor<8xui32>
  }
  func.return
}

// -----

// Both words of a block come from one op.

// CHECK-LABEL: func.func @cipher
// CHECK:         %[[U:.*]], %[[L:.*]] = kernel.threefry_2x32
// CHECK-NOT:     kernel.threefry_2x32
// CHECK:         arith.xori %[[U]], %[[L]] : vector<8xi32>
// CHECK:         vector.store %[[U]]
// CHECK:         vector.store %[[L]]
func.func @cipher(%k: memref<8xui32>, %x: memref<8xui32>, %y: memref<8xui32>, %z: memref<8xui32>) {
  kernel.fusion ins(%a = %k : memref<8xui32>) outs(%x : memref<8xui32>, %y : memref<8xui32>, %z : memref<8xui32>) schedule<rows = [], vector = 8> {
    %u = array.threefry_2x32 upper %a, %a, %a, %a : tensor<8xui32>
    %l = array.threefry_2x32 lower %a, %a, %a, %a : tensor<8xui32>
    %b = array.threefry_2x32 both %a, %a, %a, %a : tensor<8xui32>
    kernel.yield %u, %l, %b : tensor<8xui32>, tensor<8xui32>, tensor<8xui32>
  }
  func.return
}

// -----

// A short last loop is written out, and vectors run along the one before.

// CHECK-LABEL: func.func @interleaved
// CHECK:         scf.for %[[I:.*]] = %{{.*}} to
// CHECK-NOT:       scf.for
// CHECK:           %[[X:.*]] = vector.load %{{.*}}[%[[I]]] : memref<40xf64>, vector<4xf64>
// CHECK:           %[[Y:.*]] = vector.load %{{.*}}[%[[I]]] : memref<40xf64>, vector<4xf64>
// CHECK:           kernel.interleaved_store %[[X]], %[[Y]] to %{{.*}} : vector<4xf64>, vector<4xf64> to memref<80xf64>
func.func @interleaved(%x: memref<40xf64>, %y: memref<40xf64>, %z: memref<40x2xf64>) {
  kernel.fusion ins(%a = %x : memref<40xf64>, %b = %y : memref<40xf64>) outs(%z : memref<40x2xf64>) schedule<rows = [], vector = 4> {
    %c = array.reshape %a : tensor<40xf64> -> tensor<40x1xf64>
    %d = array.reshape %b : tensor<40xf64> -> tensor<40x1xf64>
    %e = array.concatenate %c, %d dim 1 : tensor<40x1xf64>, tensor<40x1xf64> -> tensor<40x2xf64>
    kernel.yield %e : tensor<40x2xf64>
  }
  func.return
}

// -----

// Whole rows are loaded once, also where one of their positions is not needed.

// CHECK-LABEL: func.func @rows_apart
// CHECK:         scf.for
// CHECK-NOT:       strided
// CHECK:           %[[A:.*]], %[[B:.*]], %[[C:.*]] = kernel.interleaved_load %{{.*}} : memref<120xf64> -> vector<4xf64>, vector<4xf64>, vector<4xf64>
// CHECK-NEXT:      %[[S:.*]] = arith.addf %[[A]], %[[C]]
// CHECK-NEXT:      vector.store %[[S]]
func.func @rows_apart(%x: memref<40x3xf64>, %y: memref<40x1xf64>) {
  kernel.fusion ins(%a = %x : memref<40x3xf64>) outs(%y : memref<40x1xf64>) schedule<rows = [], vector = 4> {
    %b = array.slice %a starts [0, 0] limits [40, 1] strides [1, 1] : tensor<40x3xf64> -> tensor<40x1xf64>
    %c = array.slice %a starts [0, 2] limits [40, 3] strides [1, 1] : tensor<40x3xf64> -> tensor<40x1xf64>
    %s = array.add %b, %c : tensor<40x1xf64>
    kernel.yield %s : tensor<40x1xf64>
  }
  func.return
}
