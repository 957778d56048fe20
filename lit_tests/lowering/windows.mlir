// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// Without padding there is one loop, whose body has all taps.

// CHECK-LABEL: func.func @inside
// CHECK-NOT:     scf.if
// CHECK:         scf.for
// CHECK-COUNT-3:   vector.load
// CHECK-NOT:     vector.load
// CHECK-NOT:     scf.for
func.func @inside(%x: memref<18xf64>, %y: memref<16xf64>) {
  kernel.fusion ins(%a = %x : memref<18xf64>) outs(%y : memref<16xf64>) schedule<rows = [], vector = 4> {
    %s = array.reduce_window add %a sizes [3] strides [1] dilations [1] low [0] high [0] : tensor<18xf64> -> tensor<16xf64>
    kernel.yield %s : tensor<16xf64>
  }
  func.return
}

// -----

// The windows at the edges are apart: what they have of the padding is known, and not read.

// CHECK-LABEL: func.func @edges
// CHECK:         memref.load
// CHECK:         memref.load
// CHECK-NOT:     memref.load
// CHECK:         scf.for
// CHECK:           vector.load
// CHECK:           vector.load
// CHECK:           vector.load
// CHECK:         memref.load
// CHECK:         memref.load
// CHECK-NOT:     memref.load
func.func @edges(%x: memref<18xf64>, %y: memref<18xf64>) {
  kernel.fusion ins(%a = %x : memref<18xf64>) outs(%y : memref<18xf64>) schedule<rows = [], vector = 4> {
    %s = array.reduce_window max %a sizes [3] strides [1] dilations [1] low [1] high [1] : tensor<18xf64> -> tensor<18xf64>
    kernel.yield %s : tensor<18xf64>
  }
  func.return
}

// -----

// Many taps are a loop; those of windows that meet the padding are masked.

// CHECK-LABEL: func.func @loop
// CHECK:         %[[T:.*]] = scf.for %{{.*}} iter_args(%[[S:.*]] = %{{.*}}) -> (vector<4xf64>)
// CHECK:           vector.maskedload
// CHECK:           kernel.select
// CHECK:           arith.addf %[[S]]
func.func @loop(%x: memref<40xf64>, %y: memref<40xf64>) {
  kernel.fusion ins(%a = %x : memref<40xf64>) outs(%y : memref<40xf64>) schedule<rows = [], vector = 4> {
    %s = array.reduce_window add %a sizes [40] strides [1] dilations [1] low [39] high [0] : tensor<40xf64> -> tensor<40xf64>
    kernel.yield %s : tensor<40xf64>
  }
  func.return
}
