// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// Rows that a kernel in a loop reads again lie in memory that is allocated once, before the loop.

// CHECK-LABEL: func.func @in_a_loop
// CHECK-NEXT:    %arena = memref.alloc() {alignment = 64 : i64} : memref<24000xi8>
// CHECK-NOT:     memref.alloc
// CHECK:         scf.for
// CHECK:           memref.view %arena[%{{.*}}][] : memref<24000xi8> to memref<3000xf64>
// CHECK:         memref.dealloc %arena
// CHECK-NEXT:    func.return
func.func @in_a_loop(%x: memref<4x3000xf64>, %y: memref<4x3000xf64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  scf.for %i = %c0 to %c9 step %c1 {
    kernel.fusion ins(%a = %x : memref<4x3000xf64>) outs(%y : memref<4x3000xf64>) schedule<rows = [0], vector = 8> {
      %e = array.exp %a : tensor<4x3000xf64>
      %s = array.reduce add %e dims [1] : tensor<4x3000xf64> -> tensor<4xf64>
      %sb = array.broadcast %s dims [0] : tensor<4xf64> -> tensor<4x3000xf64>
      %r = array.div %e, %sb : tensor<4x3000xf64>
      kernel.yield %r : tensor<4x3000xf64>
    }
    scf.yield
  }
  func.return
}

// -----

// Kernels that run after each other share a place, beside what lives all the time.

// CHECK-LABEL: func.func @shared
// CHECK-NEXT:    %arena = memref.alloc() {alignment = 64 : i64} : memref<120000xi8>
// CHECK:         %temporary = memref.view %arena[%[[C0:.*]]][] : memref<120000xi8> to memref<96000xi8>
// CHECK:         %[[C96000:.*]] = arith.constant 96000 : index
// CHECK-NEXT:    memref.view %arena[%[[C96000]]][] : memref<120000xi8> to memref<3000xf64>
// CHECK:         %[[AGAIN:.*]] = arith.constant 96000 : index
// CHECK-NEXT:    memref.view %arena[%[[AGAIN]]][] : memref<120000xi8> to memref<3000xf64>
// CHECK:         memref.dealloc %arena
func.func @shared(%x: memref<4x3000xf64>, %y: memref<4x3000xf64>) {
  %temporary = memref.alloc() : memref<96000xi8>
  %c0 = arith.constant 0 : index
  %t = memref.view %temporary[%c0][] : memref<96000xi8> to memref<4x3000xf64>
  kernel.fusion ins(%a = %x : memref<4x3000xf64>) outs(%t : memref<4x3000xf64>) schedule<rows = [0], vector = 8> {
    %e = array.exp %a : tensor<4x3000xf64>
    %s = array.reduce add %e dims [1] : tensor<4x3000xf64> -> tensor<4xf64>
    %sb = array.broadcast %s dims [0] : tensor<4xf64> -> tensor<4x3000xf64>
    %r = array.div %e, %sb : tensor<4x3000xf64>
    kernel.yield %r : tensor<4x3000xf64>
  }
  kernel.fusion ins(%a = %t : memref<4x3000xf64>) outs(%y : memref<4x3000xf64>) schedule<rows = [0], vector = 8> {
    %e = array.exp %a : tensor<4x3000xf64>
    %s = array.reduce add %e dims [1] : tensor<4x3000xf64> -> tensor<4xf64>
    %sb = array.broadcast %s dims [0] : tensor<4xf64> -> tensor<4x3000xf64>
    %r = array.div %e, %sb : tensor<4x3000xf64>
    kernel.yield %r : tensor<4x3000xf64>
  }
  memref.dealloc %temporary : memref<96000xi8>
  func.return
}

// -----

// Each chunk of a parallel loop has memory of its own: what is reserved in the arena around the
// loop, or as much elsewhere.

// CHECK-LABEL: func.func @chunks
// CHECK-NEXT:    %arena = memref.alloc() {alignment = 64 : i64} : memref<24064xi8>
// CHECK:         %[[RESERVE:.*]] = memref.view %arena[{{.*}} to memref<24064xi8>
// CHECK-NEXT:    kernel.scratch_reserve %[[RESERVE]] : memref<24064xi8>
// CHECK-NEXT:    "scf.parallel"
// CHECK-NEXT:    ^bb0(%{{.*}}: index):
// CHECK-NEXT:      %[[OWN:.*]] = kernel.scratch_take %[[RESERVE]] : memref<24064xi8> -> memref<24000xi8>
// CHECK:           memref.view %[[OWN]][%{{.*}}][] : memref<24000xi8> to memref<3000xf64>
// CHECK:           kernel.scratch_give %[[OWN]], %[[RESERVE]]
// CHECK-NEXT:      scf.reduce
// CHECK:         memref.dealloc %arena
func.func @chunks(%x: memref<40x3000xf64>, %y: memref<40x3000xf64>) {
  kernel.fusion ins(%a = %x : memref<40x3000xf64>) outs(%y : memref<40x3000xf64>) schedule<rows = [0], parallel = [0], vector = 8> {
    %e = array.exp %a : tensor<40x3000xf64>
    %s = array.reduce add %e dims [1] : tensor<40x3000xf64> -> tensor<40xf64>
    %sb = array.broadcast %s dims [0] : tensor<40xf64> -> tensor<40x3000xf64>
    %r = array.div %e, %sb : tensor<40x3000xf64>
    kernel.yield %r : tensor<40x3000xf64>
  }
  func.return
}

// -----

// What is allocated first of all stays as it is.

// CHECK-LABEL: func.func @arena
// CHECK:         %arena = memref.alloc() : memref<96000xi8>
// CHECK-NOT:     memref.alloc
func.func @arena(%x: memref<12000xf64>, %y: memref<12000xf64>) {
  %arena = memref.alloc() : memref<96000xi8>
  %c0 = arith.constant 0 : index
  %t = memref.view %arena[%c0][] : memref<96000xi8> to memref<12000xf64>
  kernel.fusion ins(%a = %x : memref<12000xf64>) outs(%t : memref<12000xf64>) schedule<rows = [], vector = 8> {
    %r = array.exp %a : tensor<12000xf64>
    kernel.yield %r : tensor<12000xf64>
  }
  kernel.fusion ins(%a = %t : memref<12000xf64>) outs(%y : memref<12000xf64>) schedule<rows = [], vector = 8> {
    %r = array.exp %a : tensor<12000xf64>
    kernel.yield %r : tensor<12000xf64>
  }
  memref.dealloc %arena : memref<96000xi8>
  func.return
}
