// RUN: gradatim-opt %s -p array-fuse,kernel-bufferize | filecheck %s

// Kernels write where the caller wants the result, also under another shape.
func.func @destination(%x: tensor<8xf32>) -> tensor<2x4xf32> {
  %y = array.sin %x : tensor<8xf32>
  %z = array.reshape %y : tensor<8xf32> -> tensor<2x4xf32>
  func.return %z : tensor<2x4xf32>
}
// CHECK-LABEL: func.func @destination(%x: memref<8xf32>, %out0: memref<2x4xf32>) {
// CHECK-NEXT: %0 = memref.reinterpret_cast %out0 to offset: [0], sizes: [8], strides: [1] : memref<2x4xf32> to memref<8xf32>
// CHECK-NEXT: kernel.fusion ins(%x_1 = %x : memref<8xf32>) outs(%0 : memref<8xf32>)
// CHECK-NEXT:   array.sin %x_1 : tensor<8xf32>
// CHECK-NOT: memref.copy
// CHECK: func.return

// Arguments, constants and what is a result already are copied.
func.func @copies(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %c = array.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = array.exp %x : tensor<2xf32>
  func.return %x, %c, %y, %y : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
// CHECK-LABEL: func.func @copies
// CHECK-SAME: (%x: memref<2xf32>, %out0: memref<2xf32>, %out1: memref<2xf32>, %out2: memref<2xf32>, %out3: memref<2xf32>)
// CHECK-NEXT: kernel.fusion ins(%x_1 = %x : memref<2xf32>) outs(%out2 : memref<2xf32>)
// CHECK: "memref.copy"(%x, %out0)
// CHECK-NEXT: %0 = memref.get_global @array_0 : memref<2xf32>
// CHECK-NEXT: "memref.copy"(%0, %out1)
// CHECK-NEXT: "memref.copy"(%out2, %out3)
// CHECK-NEXT: func.return

// No argument is written to, and a result may be read by later kernels.
func.func @shared(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %a = array.exp %x : tensor<8xf32>
  %r = array.reverse %a dims [0] : tensor<8xf32>
  %b = array.add %a, %r : tensor<8xf32>
  func.return %a, %b : tensor<8xf32>, tensor<8xf32>
}
// CHECK-LABEL: func.func @shared
// CHECK: kernel.fusion ins(%x_1 = %x : memref<8xf32>) outs(%out0 : memref<8xf32>)
// CHECK: kernel.fusion ins(%a = %out0 : memref<8xf32>) outs(%out1 : memref<8xf32>)
