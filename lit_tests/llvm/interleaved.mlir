// RUN: gradatim-opt %s -t llvm{function=f} --split-input-file | filecheck %s

// Rows of three are three whole vectors, and two shuffles for each position.

// CHECK:       define i32 @gd.main(
// CHECK-COUNT-3: load <4 x double>
// CHECK-NOT:     load
// CHECK:         shufflevector <4 x double> %{{.*}}, <4 x i32> <i32 0, i32 1, i32 2, i32 5>
// CHECK-NOT:     masked
// CHECK-COUNT-3: store <4 x double>
func.func @f(%x: memref<24xf64>, %y: memref<24xf64>) {
  %c0 = arith.constant 0 : index
  %c12 = arith.constant 12 : index
  %u, %v, %w = kernel.interleaved_load %x[%c12] : memref<24xf64> -> vector<4xf64>, vector<4xf64>, vector<4xf64>
  kernel.interleaved_store %w, %v, %u to %y[%c0] : vector<4xf64>, vector<4xf64>, vector<4xf64> to memref<24xf64>
  func.return
}

// -----

// Rows of four are taken apart by twos.

// CHECK:       define i32 @gd.main(
// CHECK-COUNT-4: load <4 x float>
// CHECK-COUNT-2: shufflevector <4 x float> %{{.*}}, <4 x i32> <i32 0, i32 2, i32 4, i32 6>
// CHECK:         shufflevector <4 x float> %{{.*}}, <4 x i32> <i32 0, i32 2, i32 4, i32 6>
// CHECK:         shufflevector <4 x float> %{{.*}}, <4 x i32> <i32 1, i32 3, i32 5, i32 7>
// CHECK:         shufflevector <4 x float> %{{.*}}, <4 x i32> <i32 0, i32 4, i32 1, i32 5>
// CHECK-COUNT-4: store <4 x float>
func.func @f(%x: memref<16xf32>, %y: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %s, %t, %u, %v = kernel.interleaved_load %x[%c0] : memref<16xf32> -> vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>
  kernel.interleaved_store %v, %u, %t, %s to %y[%c0] : vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32> to memref<16xf32>
  func.return
}
