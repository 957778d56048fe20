// RUN: gradatim-opt %s -p kernel-lower-to-loops{outline-ops=0} | filecheck %s

// Views are made in the kernel, which so sees that it works in place: surplus lanes are masked.

// CHECK:       func.func @in_place(%z: memref<3x7xf64>) {
// CHECK:         func.call @in_place.kernel_0(%z) : (memref<3x7xf64>) -> ()
// CHECK:       func.func private @in_place.kernel_0(%[[Z:.*]]: memref<3x7xf64>) {
// CHECK:         memref.reinterpret_cast %[[Z]]
// CHECK:         vector.maskedload
// CHECK:         vector.maskedstore
func.func @in_place(%z: memref<3x7xf64>) {
  %flat = memref.reinterpret_cast %z to offset: [0], sizes: [21], strides: [1] : memref<3x7xf64> to memref<21xf64>
  %again = memref.reinterpret_cast %z to offset: [0], sizes: [21], strides: [1] : memref<3x7xf64> to memref<21xf64>
  kernel.fusion ins(%b = %flat : memref<21xf64>) outs(%again : memref<21xf64>) schedule<rows = [], vector = 8> {
    %e = array.exp %b : tensor<21xf64>
    kernel.yield %e : tensor<21xf64>
  }
  func.return
}
