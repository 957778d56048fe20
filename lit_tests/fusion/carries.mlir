// RUN: gradatim-opt %s -p array-fuse --split-input-file | filecheck %s

// The row and the column of the pivot are computed before the array that they are parts of, so that
// this can be changed in place.

// CHECK-LABEL: func.func @shortest_ways
// CHECK:         array.scan length 256
// CHECK-NEXT:    ^bb0(%[[K:.*]]: tensor<i64>, %[[D:.*]]: tensor<256x256xf64>):
// CHECK-NEXT:      %[[PARTS:.*]], %[[ROW:.*]] = kernel.fusion ins(%{{.*}} = %[[D]] : tensor<256x256xf64>
// CHECK:           -> (tensor<256xf64>, tensor<256xf64>)
// CHECK-NEXT:      kernel.fusion ins({{.*}} = %[[PARTS]] : tensor<256xf64>, {{.*}} = %[[ROW]] : tensor<256xf64>, {{.*}} = %[[D]]
// CHECK-NOT:         array.dynamic_slice
// CHECK:             array.min
// CHECK:           -> (tensor<256x256xf64>)
// CHECK-NEXT:      array.yield
func.func @shortest_ways(%x: tensor<256x256xf64>) -> tensor<256x256xf64> {
  %y = array.scan length 256 carries(%x : tensor<256x256xf64>) {
  ^bb0(%k: tensor<i64>, %d: tensor<256x256xf64>):
    %zero = array.constant dense<0> : tensor<i64>
    %c = array.dynamic_slice %d[%zero, %k] : tensor<256x256xf64> -> tensor<256x1xf64>
    %column = array.reshape %c : tensor<256x1xf64> -> tensor<256xf64>
    %r = array.dynamic_slice %d[%k, %zero] : tensor<256x256xf64> -> tensor<1x256xf64>
    %row = array.reshape %r : tensor<1x256xf64> -> tensor<256xf64>
    %from = array.broadcast %column dims [0] : tensor<256xf64> -> tensor<256x256xf64>
    %to = array.broadcast %row dims [1] : tensor<256xf64> -> tensor<256x256xf64>
    %sum = array.add %from, %to : tensor<256x256xf64>
    %least = array.min %d, %sum : tensor<256x256xf64>
    array.yield %least : tensor<256x256xf64>
  }
  func.return %y : tensor<256x256xf64>
}

// -----

// A small array moves back and forth in a near cache.

// CHECK-LABEL: func.func @small
// CHECK:         array.scan
// CHECK:           kernel.fusion
// CHECK:             array.dynamic_slice
// CHECK:             array.min
// CHECK-NOT:       kernel.fusion
// CHECK:           array.yield
func.func @small(%x: tensor<64x64xf64>) -> tensor<64x64xf64> {
  %y = array.scan length 64 carries(%x : tensor<64x64xf64>) {
  ^bb0(%k: tensor<i64>, %d: tensor<64x64xf64>):
    %zero = array.constant dense<0> : tensor<i64>
    %r = array.dynamic_slice %d[%k, %zero] : tensor<64x64xf64> -> tensor<1x64xf64>
    %row = array.reshape %r : tensor<1x64xf64> -> tensor<64xf64>
    %to = array.broadcast %row dims [1] : tensor<64xf64> -> tensor<64x64xf64>
    %least = array.min %d, %to : tensor<64x64xf64>
    array.yield %least : tensor<64x64xf64>
  }
  func.return %y : tensor<64x64xf64>
}

// -----

// All of the old array is needed at other places, so nothing is gained by computing parts of it.

// CHECK-LABEL: func.func @mirrored
// CHECK:         array.scan
// CHECK:           kernel.fusion
// CHECK:             array.reverse
// CHECK:             array.dynamic_slice
// CHECK-NOT:       kernel.fusion
// CHECK:           array.yield
func.func @mirrored(%x: tensor<256x256xf64>) -> tensor<256x256xf64> {
  %y = array.scan length 256 carries(%x : tensor<256x256xf64>) {
  ^bb0(%k: tensor<i64>, %d: tensor<256x256xf64>):
    %zero = array.constant dense<0> : tensor<i64>
    %r = array.dynamic_slice %d[%k, %zero] : tensor<256x256xf64> -> tensor<1x256xf64>
    %row = array.reshape %r : tensor<1x256xf64> -> tensor<256xf64>
    %to = array.broadcast %row dims [1] : tensor<256xf64> -> tensor<256x256xf64>
    %m = array.reverse %d dims [0] : tensor<256x256xf64>
    %s = array.add %m, %to : tensor<256x256xf64>
    %least = array.min %d, %s : tensor<256x256xf64>
    array.yield %least : tensor<256x256xf64>
  }
  func.return %y : tensor<256x256xf64>
}
