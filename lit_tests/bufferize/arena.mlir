// RUN: gradatim-opt %s -p kernel-bufferize | filecheck %s

// Temporaries that do not live at once share a place: three values, two places.
func.func @reuse(%x: tensor<16xf32>) -> tensor<16xf32> {
  %a = kernel.fusion ins(%0 = %x : tensor<16xf32>) schedule<rows = []> {
    %1 = array.reverse %0 dims [0] : tensor<16xf32>
    kernel.yield %1 : tensor<16xf32>
  } -> (tensor<16xf32>)
  %b = kernel.fusion ins(%0 = %a : tensor<16xf32>) schedule<rows = []> {
    %1 = array.reverse %0 dims [0] : tensor<16xf32>
    kernel.yield %1 : tensor<16xf32>
  } -> (tensor<16xf32>)
  %c = kernel.fusion ins(%0 = %b : tensor<16xf32>) schedule<rows = []> {
    %1 = array.reverse %0 dims [0] : tensor<16xf32>
    kernel.yield %1 : tensor<16xf32>
  } -> (tensor<16xf32>)
  %d = kernel.fusion ins(%0 = %c : tensor<16xf32>) schedule<rows = []> {
    %1 = array.reverse %0 dims [0] : tensor<16xf32>
    kernel.yield %1 : tensor<16xf32>
  } -> (tensor<16xf32>)
  func.return %d : tensor<16xf32>
}
// CHECK-LABEL: func.func @reuse
// CHECK-NEXT: %arena = memref.alloca() {alignment = 64 : i64} : memref<128xi8>
// CHECK-NEXT: %0 = arith.constant 0 : index
// CHECK-NEXT: %a = memref.view %arena[%0][] : memref<128xi8> to memref<16xf32>
// CHECK: outs(%a : memref<16xf32>)
// CHECK: arith.constant 64 : index
// CHECK-NEXT: %b = memref.view
// CHECK: = %a : memref<16xf32>) outs(%b : memref<16xf32>)
// CHECK: arith.constant 0 : index
// CHECK-NEXT: %c = memref.view
// CHECK: = %b : memref<16xf32>) outs(%c : memref<16xf32>)
// CHECK: = %c : memref<16xf32>) outs(%out0 : memref<16xf32>)

// A loop writes over what it is the last to read: one place, and then the result's.
func.func @in_place(%x: tensor<16xf32>) -> tensor<16xf32> {
  %a = kernel.fusion ins(%0 = %x : tensor<16xf32>) schedule<rows = []> {
    %1 = array.reverse %0 dims [0] : tensor<16xf32>
    kernel.yield %1 : tensor<16xf32>
  } -> (tensor<16xf32>)
  %b = kernel.fusion ins(%0 = %a : tensor<16xf32>) schedule<rows = []> {
    %1 = array.exp %0 : tensor<16xf32>
    kernel.yield %1 : tensor<16xf32>
  } -> (tensor<16xf32>)
  func.return %b : tensor<16xf32>
}
// CHECK-LABEL: func.func @in_place
// CHECK-NEXT: kernel.fusion ins(%0 = %x : memref<16xf32>) outs(%out0 : memref<16xf32>)
// CHECK: kernel.fusion ins(%0 = %out0 : memref<16xf32>) outs(%out0 : memref<16xf32>)

// A large arena is on the heap.
func.func @heap(%x: tensor<10000xf32>) -> tensor<10000xf32> {
  %a = kernel.fusion ins(%0 = %x : tensor<10000xf32>) schedule<rows = []> {
    %1 = array.exp %0 : tensor<10000xf32>
    kernel.yield %1 : tensor<10000xf32>
  } -> (tensor<10000xf32>)
  %b = kernel.fusion ins(%0 = %a : tensor<10000xf32>) schedule<rows = []> {
    %1 = array.reverse %0 dims [0] : tensor<10000xf32>
    kernel.yield %1 : tensor<10000xf32>
  } -> (tensor<10000xf32>)
  func.return %b : tensor<10000xf32>
}
// CHECK-LABEL: func.func @heap
// CHECK-NEXT: %arena = memref.alloc() {alignment = 64 : i64} : memref<40000xi8>
// CHECK: memref.dealloc %arena : memref<40000xi8>
// CHECK-NEXT: func.return
