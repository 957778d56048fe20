// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// The block cipher is written out; a rotation is a funnel shift of a value with itself.

// CHECK:         %[[X:.*]] = load <16 x i32>
// CHECK:         xor <16 x i32> %{{.*}}, splat (i32 466688986)
// CHECK:         %[[Y:.*]] = add <16 x i32> %[[X]], %[[X]]
// CHECK-COUNT-20: call <16 x i32> @llvm.fshl.v16i32(
// CHECK-NOT:     llvm.fshl
// CHECK:         ret
func.func @f(%x: memref<16xi32>, %y: memref<16xi32>) {
  %i = arith.constant 0 : index
  %v = vector.load %x[%i] : memref<16xi32>, vector<16xi32>
  %upper, %lower = kernel.threefry_2x32 %v, %v, %v, %v : vector<16xi32>
  vector.store %upper, %y[%i] : memref<16xi32>, vector<16xi32>
  func.return
}
