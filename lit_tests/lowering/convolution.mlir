// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// A block of two vectors of features for each of six windows stays in registers, while the terms go
// by: of a tap and a feature in, each vector and each number is loaded once.

// CHECK-LABEL: func.func @features
// CHECK-NOT:     memref.alloc
// CHECK:         scf.for %{{.*}} iter_args(%[[A:[0-9]+]] = %{{[0-9]+}}, %[[B:[0-9]+]] = %{{[0-9]+}}, {{.*}}) -> (vector<4xf64>, {{.*}}) {
// CHECK:           %[[V:[0-9]+]] = vector.load %{{.*}} : memref<256xf64>
// CHECK:           %[[W:[0-9]+]] = vector.load %{{.*}} : memref<256xf64>
// CHECK-NOT:       vector.load
// CHECK:           %[[X:[0-9]+]] = memref.load %{{.*}} : memref<384xf64>
// CHECK:           %[[S:[0-9]+]] = vector.broadcast %[[X]] : f64 to vector<4xf64>
// CHECK-NEXT:      %[[P:[0-9]+]] = arith.mulf %[[S]], %[[V]]
// CHECK-NEXT:      arith.addf %[[A]], %[[P]]
// CHECK-NEXT:      %[[Q:[0-9]+]] = arith.mulf %[[S]], %[[W]]
// CHECK-NEXT:      arith.addf %[[B]], %[[Q]]
func.func @features(%x: memref<1x12x32xf64>, %w: memref<1x32x8xf64>, %y: memref<1x12x8xf64>) {
  kernel.fusion ins(%a = %x : memref<1x12x32xf64>, %b = %w : memref<1x32x8xf64>) outs(%y : memref<1x12x8xf64>) schedule<rows = [0, 1], vector = 4> {
    %c = array.convolution %a, %b strides [1] low [0] high [0] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<1x12x32xf64>, tensor<1x32x8xf64> -> tensor<1x12x8xf64>
    kernel.yield %c : tensor<1x12x8xf64>
  }
  func.return
}

// -----

// A padded input is copied between zeros; with one feature, vectors run along the windows.

// CHECK-LABEL: func.func @windows
// CHECK:         %[[P:[0-9]+]] = memref.alloca() : memref<18xf64>
// CHECK:         vector.store %{{.*}}, %[[P]]
// CHECK:         %[[X:[0-9]+]] = vector.load %{{.*}} : memref<16xf64>
// CHECK:         vector.store %[[X]], %[[P]]
// CHECK-COUNT-3: memref.load %{{.*}} : memref<3xf64>
// CHECK-NOT:     memref.load
// CHECK:         vector.store
func.func @windows(%x: memref<1x16x1xf64>, %w: memref<3x1x1xf64>, %y: memref<1x16x1xf64>) {
  kernel.fusion ins(%a = %x : memref<1x16x1xf64>, %b = %w : memref<3x1x1xf64>) outs(%y : memref<1x16x1xf64>) schedule<rows = [0, 1], vector = 8> {
    %c = array.convolution %a, %b strides [1] low [1] high [1] lhs_dilation [1] rhs_dilation [1] groups 1 : tensor<1x16x1xf64>, tensor<3x1x1xf64> -> tensor<1x16x1xf64>
    kernel.yield %c : tensor<1x16x1xf64>
  }
  func.return
}
