// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// A rotation is a funnel shift of a value with itself.

// CHECK: %[[X:.*]] = load <16 x i32>
// CHECK: call <16 x i32> @llvm.fshl.v16i32(<16 x i32> %[[X]], <16 x i32> %[[X]], <16 x i32>
func.func @f(%x: memref<16xi32>, %y: memref<16xi32>) {
  %i = arith.constant 0 : index
  %n = arith.constant dense<13> : vector<16xi32>
  %v = vector.load %x[%i] : memref<16xi32>, vector<16xi32>
  %r = kernel.rotate_left %v, %n : vector<16xi32>
  vector.store %r, %y[%i] : memref<16xi32>, vector<16xi32>
  func.return
}
