// RUN: gradatim-opt %s | gradatim-opt | filecheck %s

// Tensors: results, one for each yielded value.
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y, %s = kernel.fusion ins(%a = %x : tensor<4x8xf32>) schedule<vector = 8, parallel = [0], rows = [0]> {
    %m = array.reduce max %a dims [1] : tensor<4x8xf32> -> tensor<4xf32>
    %b = array.broadcast %m dims [0] : tensor<4xf32> -> tensor<4x8xf32>
    %c = array.sub %a, %b : tensor<4x8xf32>
    %e = array.exp %c : tensor<4x8xf32>
    %s = array.reduce add %e dims [1] : tensor<4x8xf32> -> tensor<4xf32>
    %d = array.broadcast %s dims [0] : tensor<4xf32> -> tensor<4x8xf32>
    %y = array.div %e, %d : tensor<4x8xf32>
    kernel.yield %y, %s : tensor<4x8xf32>, tensor<4xf32>
  } -> (tensor<4x8xf32>, tensor<4xf32>)
  func.return %y : tensor<4x8xf32>
}
// CHECK-LABEL: func.func @softmax
// CHECK: %y, %s = kernel.fusion ins(%a = %x : tensor<4x8xf32>) schedule<rows = [0], parallel = [0], vector = 8> {
// CHECK-NEXT: array.reduce max %a dims [1]
// CHECK: kernel.yield %y_1, %s_1 : tensor<4x8xf32>, tensor<4xf32>
// CHECK-NEXT: } -> (tensor<4x8xf32>, tensor<4xf32>)

// Buffers: what is yielded is written to the outs.
func.func @product(%x: memref<4x8xf32>, %y: memref<8x4xf32>, %out: memref<4x4xf32>) {
  kernel.fusion ins(%a = %x : memref<4x8xf32>, %b = %y : memref<8x4xf32>) outs(%out : memref<4x4xf32>) schedule<library = "gemm"> {
    %c = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<4x4xf32>
    kernel.yield %c : tensor<4x4xf32>
  }
  func.return
}
// CHECK-LABEL: func.func @product
// CHECK: kernel.fusion ins(%a = %x : memref<4x8xf32>, %b = %y : memref<8x4xf32>) outs(%out : memref<4x4xf32>) schedule<rows = [], vector = 1, library = "gemm"> {
// CHECK-NEXT: array.dot_general %a, %b
// CHECK-NEXT: kernel.yield
// CHECK-NEXT: }
// CHECK-NEXT: func.return

// No operands.
func.func @count() -> tensor<3xi32> {
  %r = kernel.fusion ins() schedule<rows = [], vector = 4, unroll = 2> {
    %i = array.iota dim 0 : tensor<3xi32>
    kernel.yield %i : tensor<3xi32>
  } -> (tensor<3xi32>)
  func.return %r : tensor<3xi32>
}
// CHECK-LABEL: func.func @count
// CHECK: %r = kernel.fusion ins() schedule<rows = [], vector = 4, unroll = 2> {
