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

// A small one keeps a vector for each row of the result while the terms go by.

// CHECK-LABEL: func.func @loops
// CHECK:         scf.for %{{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) -> (vector<4xf64>, vector<4xf64>)
// CHECK:           %[[Y:.*]] = vector.load
// CHECK:           %[[P:.*]] = arith.mulf %{{.*}}, %[[Y]]
// CHECK-NEXT:      arith.addf %[[A]], %[[P]]
// CHECK:           %[[Q:.*]] = arith.mulf %{{.*}}, %[[Y]]
// CHECK-NEXT:      arith.addf %[[B]], %[[Q]]
func.func @loops(%x: memref<2x6xf64>, %y: memref<6x4xf64>, %z: memref<2x4xf64>) {
  kernel.fusion ins(%a = %x : memref<2x6xf64>, %b = %y : memref<6x4xf64>) outs(%z : memref<2x4xf64>) schedule<rows = [], vector = 8> {
    %p = array.dot_general %a, %b batch [] x [] contract [1] x [0] : tensor<2x6xf64>, tensor<6x4xf64> -> tensor<2x4xf64>
    kernel.yield %p : tensor<2x4xf64>
  }
  func.return
}
