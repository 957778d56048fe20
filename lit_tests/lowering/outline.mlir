// RUN: gradatim-opt %s -p kernel-lower-to-loops{outline-ops=1} | filecheck %s

// In a large function each kernel is a function of its own; a buffer is passed once.

// CHECK:       func.func @f(%x: memref<8xf64>, %y: memref<8xf64>) {
// CHECK-NEXT:    func.call @f.kernel_0(%x, %y) : (memref<8xf64>, memref<8xf64>) -> ()
// CHECK-NEXT:    func.call @f.kernel_1(%y) : (memref<8xf64>) -> ()
// CHECK-NEXT:    func.return
// CHECK:       func.func private @f.kernel_0(%{{.*}}: memref<8xf64>, %{{.*}}: memref<8xf64>) {
// CHECK:         math.sin
// CHECK:       func.func private @f.kernel_1(%{{.*}}: memref<8xf64>) {
// CHECK:         math.exp
func.func @f(%x: memref<8xf64>, %y: memref<8xf64>) {
  kernel.fusion ins(%a = %x : memref<8xf64>) outs(%y : memref<8xf64>) schedule<rows = [], vector = 8> {
    %s = array.sin %a : tensor<8xf64>
    kernel.yield %s : tensor<8xf64>
  }
  kernel.fusion ins(%b = %y : memref<8xf64>) outs(%y : memref<8xf64>) schedule<rows = [], vector = 8> {
    %e = array.exp %b : tensor<8xf64>
    kernel.yield %e : tensor<8xf64>
  }
  func.return
}
