// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// Chunks are a multiple of the lanes, and the last one ends where the loop does.

// CHECK-LABEL: func.func @elementwise
// CHECK:         %[[SIZE:.*]] = arith.constant 4168 : index
// CHECK:         %[[END:.*]] = arith.constant 100000 : index
// CHECK:         %[[COUNT:.*]] = arith.constant 24 : index
// CHECK:         "scf.parallel"(%{{.*}}, %[[COUNT]], %{{.*}})
// CHECK-NEXT:    ^bb0(%[[CHUNK:.*]]: index):
// CHECK-NEXT:      %[[FIRST:.*]] = arith.muli %[[CHUNK]], %[[SIZE]]
// CHECK-NEXT:      %[[NEXT:.*]] = arith.addi %[[FIRST]], %[[SIZE]]
// CHECK-NEXT:      %[[LAST:.*]] = arith.minsi %[[NEXT]], %[[END]]
// CHECK-NEXT:      scf.for %{{.*}} = %[[FIRST]] to %[[LAST]] step
// CHECK:           scf.reduce
func.func @elementwise(%x: memref<100000xf64>, %y: memref<100000xf64>) {
  kernel.fusion ins(%a = %x : memref<100000xf64>) outs(%y : memref<100000xf64>) schedule<rows = [], parallel = [0], vector = 8> {
    %r = array.exp %a : tensor<100000xf64>
    kernel.yield %r : tensor<100000xf64>
  }
  func.return
}

// -----

// Each chunk stores its sum; the sums are added up afterwards, in their order.

// CHECK-LABEL: func.func @sum
// CHECK:         %[[PARTIAL:.*]] = memref.alloca() : memref<24xf64>
// CHECK:         "scf.parallel"
// CHECK-NEXT:    ^bb0(%[[CHUNK:.*]]: index):
// CHECK:           %[[SUM:.*]] = vector.reduction <add>
// CHECK-NEXT:      memref.store %[[SUM]], %[[PARTIAL]][%[[CHUNK]]]
// CHECK-NEXT:      scf.reduce
// CHECK:         scf.for
// CHECK-NEXT:      vector.load %[[PARTIAL]]
// CHECK:         vector.reduction <add>
func.func @sum(%x: memref<100000xf64>, %y: memref<f64>) {
  kernel.fusion ins(%a = %x : memref<100000xf64>) outs(%y : memref<f64>) schedule<rows = [], parallel = [0], vector = 8> {
    %r = array.reduce add %a dims [0] : tensor<100000xf64> -> tensor<f64>
    kernel.yield %r : tensor<f64>
  }
  func.return
}

// -----

// Each chunk of the rows adds to memory of its own, which is added to the result afterwards.

// CHECK-LABEL: func.func @column_sums
// CHECK-SAME:    %{{.*}}: memref<400x100xf64>, %[[Y:.*]]: memref<100xf64>
// CHECK:         %[[PARTIAL:.*]] = memref.alloca() : memref<900xf64>
// CHECK:         "scf.parallel"
// CHECK:           %[[OWN:.*]] = memref.reinterpret_cast %[[PARTIAL]]
// CHECK:           scf.for
// CHECK:             vector.maskedstore %[[OWN]]
// CHECK:           scf.for
// CHECK-NEXT:        scf.for
// CHECK:               vector.maskedload %[[OWN]]
// CHECK:               vector.maskedstore %[[OWN]]
// CHECK:           scf.reduce
// CHECK:         scf.for
// CHECK-NEXT:      scf.for
// CHECK:             vector.maskedload %[[PARTIAL]]
// CHECK:             vector.maskedstore %[[Y]]
func.func @column_sums(%x: memref<400x100xf64>, %y: memref<100xf64>) {
  kernel.fusion ins(%a = %x : memref<400x100xf64>) outs(%y : memref<100xf64>) schedule<rows = [0], parallel = [0], vector = 8> {
    %s = array.reduce add %a dims [0] : tensor<400x100xf64> -> tensor<100xf64>
    kernel.yield %s : tensor<100xf64>
  }
  func.return
}
