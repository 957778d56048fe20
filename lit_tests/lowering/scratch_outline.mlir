// RUN: gradatim-opt %s -p kernel-lower-to-loops{outline-ops=0} | filecheck %s

// A kernel that is a function of its own is given its memory.

// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %arena = memref.alloc() {alignment = 64 : i64} : memref<24000xi8>
// CHECK:         scf.for
// CHECK:           %[[PLACE:.*]] = memref.view %arena[%{{.*}}][] : memref<24000xi8> to memref<24000xi8>
// CHECK-NEXT:      func.call @f.kernel_0(%x, %y, %[[PLACE]])
// CHECK:         memref.dealloc %arena
// CHECK:       func.func private @f.kernel_0(%{{.*}}: memref<4x3000xf64>, %{{.*}}: memref<4x3000xf64>, %[[ARENA:.*]]: memref<24000xi8>)
// CHECK-NOT:     memref.alloc
// CHECK:         memref.view %[[ARENA]][%{{.*}}][] : memref<24000xi8> to memref<3000xf64>
func.func @f(%x: memref<4x3000xf64>, %y: memref<4x3000xf64>) {
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
