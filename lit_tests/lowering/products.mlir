// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// A large product is a call of the library, on flat memory.

// CHECK-LABEL: func.func @library
// CHECK:         func.call @cblas_dgemm(%{{.*}}) : (i32, i32, i32, i32, i32, i32, f64, memref<?xf64, strided<[1], offset: ?>>, i32,
// CHECK:       func.func private @cblas_dgemm
func.func @library(%x: memref<4x6xf64>, %y: memref<6x5xf64>, %z: memref<4x5xf64>) {
  kernel.fusion ins(%a = %x : memref<4x6xf64>, %b = %y : memref<6x5xf64>) outs(%z : memref<4x5xf64>) schedule<rows = [], vector = 8, library = "gemm"> {
    %p = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<4x6xf64>, tensor<6x5xf64> -> tensor<4x5xf64>
    kernel.yield %p : tensor<4x5xf64>
  }
  func.return
}

// -----

// In loops a tile keeps a vector for each of its rows while the terms go by.

// CHECK-LABEL: func.func @loops
// CHECK:         scf.for %{{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) -> (vector<4xf64>, vector<4xf64>)
// CHECK:           %[[Y:.*]] = vector.load
// CHECK:           %[[P:.*]] = arith.mulf %{{.*}}, %[[Y]]
// CHECK-NEXT:      arith.addf %[[A]], %[[P]]
// CHECK:           %[[Q:.*]] = arith.mulf %{{.*}}, %[[Y]]
// CHECK-NEXT:      arith.addf %[[B]], %[[Q]]
func.func @loops(%x: memref<2x6xf64>, %y: memref<6x4xf64>, %z: memref<2x4xf64>) {
  kernel.fusion ins(%a = %x : memref<2x6xf64>, %b = %y : memref<6x4xf64>) outs(%z : memref<2x4xf64>) schedule<rows = [], vector = 8, tile = 2> {
    %p = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<2x6xf64>, tensor<6x4xf64> -> tensor<2x4xf64>
    kernel.yield %p : tensor<2x4xf64>
  }
  func.return
}

// -----

// Two vectors of columns at a time share the numbers of the left operand. The last one of the ten
// columns begins earlier, at the seventh, so as to end with them. The third row is left over.

// CHECK-LABEL: func.func @tiles
// CHECK:         scf.for %{{.*}} -> (vector<4xf64>, vector<4xf64>, vector<4xf64>, vector<4xf64>)
// CHECK:           %[[L:.*]] = vector.load
// CHECK:           %[[R:.*]] = vector.load
// CHECK:           %[[X:.*]] = vector.broadcast
// CHECK:           arith.mulf %[[X]], %[[L]]
// CHECK:           arith.mulf %[[X]], %[[R]]
// CHECK:           scf.yield
// CHECK:         scf.for %{{.*}} -> (vector<4xf64>, vector<4xf64>)
// CHECK:         scf.for %{{.*}} -> (vector<4xf64>, vector<4xf64>)
// CHECK:         scf.for %{{.*}} -> (vector<4xf64>)
func.func @tiles(%x: memref<3x6xf64>, %y: memref<6x10xf64>, %z: memref<3x10xf64>) {
  kernel.fusion ins(%a = %x : memref<3x6xf64>, %b = %y : memref<6x10xf64>) outs(%z : memref<3x10xf64>) schedule<rows = [], vector = 4, unroll = 2, tile = 2> {
    %p = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<3x6xf64>, tensor<6x10xf64> -> tensor<3x10xf64>
    kernel.yield %p : tensor<3x10xf64>
  }
  func.return
}

// -----

// What takes longer than a call is a function, which products of equal sizes and strides share.

// CHECK-LABEL: func.func @shared
// CHECK:         func.call @product_0
// CHECK:         func.call @product_0
// CHECK-NOT:     @product_1
// CHECK:       func.func private @product_0(%{{.*}}: memref<?xf64, strided<[1], offset: ?>>, %{{.*}}: memref<?xf64, strided<[1], offset: ?>>, %{{.*}}: memref<?xf64, strided<[1], offset: ?>>)
// CHECK:         scf.for %{{.*}} -> (vector<8xf64>, vector<8xf64>)
// CHECK-NOT:   func.func
func.func @shared(%x: memref<2x64xf64>, %y: memref<64x64xf64>, %z: memref<2x64xf64>) {
  kernel.fusion ins(%a = %x : memref<2x64xf64>, %b = %y : memref<64x64xf64>) outs(%z : memref<2x64xf64>) schedule<rows = [], vector = 8, tile = 2> {
    %p = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<2x64xf64>, tensor<64x64xf64> -> tensor<2x64xf64>
    kernel.yield %p : tensor<2x64xf64>
  }
  kernel.fusion ins(%a = %z : memref<2x64xf64>, %b = %y : memref<64x64xf64>) outs(%x : memref<2x64xf64>) schedule<rows = [], vector = 8, tile = 2> {
    %p = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<2x64xf64>, tensor<64x64xf64> -> tensor<2x64xf64>
    kernel.yield %p : tensor<2x64xf64>
  }
  func.return
}
