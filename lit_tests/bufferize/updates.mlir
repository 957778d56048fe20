// RUN: gradatim-opt %s -p 'array-fuse,kernel-bufferize' --split-input-file | filecheck %s

// Updates are made in place where nothing needs the old array, and else in a copy, which the loops
// make.

// An update is evaluated where it is written; what reads the array at the same place too.

func.func @in_place(%x: tensor<9xf32>, %i: tensor<i64>) -> tensor<9xf32> {
  %s = array.sin %x : tensor<9xf32>
  %a = array.dynamic_slice %s[%i] : tensor<9xf32> -> tensor<2xf32>
  %b = array.exp %a : tensor<2xf32>
  %y = array.dynamic_update_slice %s[%i], %b : tensor<9xf32>, tensor<2xf32>
  func.return %y : tensor<9xf32>
}

// CHECK-LABEL: func.func @in_place(%x: memref<9xf32>, %i: memref<i64>, %out0: memref<9xf32>)
// CHECK-NEXT:    kernel.fusion ins(%x_1 = %x : memref<9xf32>) outs(%out0 : memref<9xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %s = array.sin %x_1 : tensor<9xf32>
// CHECK-NEXT:    kernel.yield %s : tensor<9xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    kernel.fusion ins(%s = %out0 : memref<9xf32>, %i_1 = %i : memref<i64>) outs(%out0 : memref<9xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %a = array.dynamic_slice %s[%i_1] : tensor<9xf32> -> tensor<2xf32>
// CHECK-NEXT:    %b = array.exp %a : tensor<2xf32>
// CHECK-NEXT:    %y = array.dynamic_update_slice %s[%i_1], %b : tensor<9xf32>, tensor<2xf32>
// CHECK-NEXT:    kernel.yield %y : tensor<9xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// -----

// An argument is never written to.

func.func @copy(%x: tensor<9xf32>, %u: tensor<2xf32>, %i: tensor<i64>) -> tensor<9xf32> {
  %y = array.dynamic_update_slice %x[%i], %u : tensor<9xf32>, tensor<2xf32>
  func.return %y : tensor<9xf32>
}

// CHECK-LABEL: func.func @copy(%x: memref<9xf32>, %u: memref<2xf32>, %i: memref<i64>, %out0: memref<9xf32>)
// CHECK-NEXT:    kernel.fusion ins(%x_1 = %x : memref<9xf32>, %u_1 = %u : memref<2xf32>, %i_1 = %i : memref<i64>) outs(%out0 : memref<9xf32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:    %y = array.dynamic_update_slice %x_1[%i_1], %u_1 : tensor<9xf32>, tensor<2xf32>
// CHECK-NEXT:    kernel.yield %y : tensor<9xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
