// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// Lanes a few elements apart are whole vectors and shuffles; nothing is read beyond the last lane,
// and only the lanes' elements are written.

// CHECK:       define i32 @gd.main(
// CHECK:         %[[A0:v.*]] = getelementptr double, ptr %[[A:.*]], i64 0
// CHECK-NEXT:    %[[X0:v.*]] = load <4 x double>, ptr %[[A0]], align 8
// CHECK-NEXT:    %[[L0:v.*]] = shufflevector <4 x double> poison, <4 x double> %[[X0]], <4 x i32> <i32 4, i32 7, i32 2, i32 3>
// CHECK-NEXT:    %[[A1:v.*]] = getelementptr double, ptr %[[A]], i64 4
// CHECK-NEXT:    %[[X1:v.*]] = load <4 x double>, ptr %[[A1]], align 8
// CHECK-NEXT:    %[[L1:v.*]] = shufflevector <4 x double> %[[L0]], <4 x double> %[[X1]], <4 x i32> <i32 0, i32 1, i32 6, i32 3>
// CHECK-NEXT:    %[[A2:v.*]] = getelementptr double, ptr %[[A]], i64 6
// CHECK-NEXT:    %[[X2:v.*]] = load <4 x double>, ptr %[[A2]], align 8
// CHECK-NEXT:    %[[L2:v.*]] = shufflevector <4 x double> %[[L1]], <4 x double> %[[X2]], <4 x i32> <i32 0, i32 1, i32 2, i32 7>
// CHECK-NEXT:    %[[S0:v.*]] = shufflevector <4 x double> %[[L2]], <4 x double> poison, <4 x i32> <i32 0, i32 0, i32 1, i32 0>
// CHECK-NEXT:    %[[B0:v.*]] = getelementptr double, ptr %[[B:.*]], i64 0
// CHECK-NEXT:    call void @llvm.masked.store.v4f64.p0(<4 x double> %[[S0]], ptr align 8 %[[B0]], <4 x i1> <i1 true, i1 false, i1 true, i1 false>)
// CHECK-NEXT:    %[[S1:v.*]] = shufflevector <4 x double> %[[L2]], <4 x double> poison, <4 x i32> <i32 2, i32 0, i32 3, i32 0>
// CHECK-NEXT:    %[[B1:v.*]] = getelementptr double, ptr %[[B]], i64 4
// CHECK-NEXT:    call void @llvm.masked.store.v4f64.p0(<4 x double> %[[S1]], ptr align 8 %[[B1]], <4 x i1> <i1 true, i1 false, i1 true, i1 false>)

// Far apart, or masked, they are read one by one.

// CHECK:         call <4 x double> @llvm.masked.gather
// CHECK:         call <4 x double> @llvm.masked.gather
func.func @f(%x: memref<40xf64>, %y: memref<40xf64>, %m: memref<4xi1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %v = kernel.strided_load %x[%c1] stride 3 : memref<40xf64> -> vector<4xf64>
  kernel.strided_store %v, %y[%c0] stride 2 : vector<4xf64>, memref<40xf64>
  %w = kernel.strided_load %x[%c0] stride 5 : memref<40xf64> -> vector<4xf64>
  %mask = vector.load %m[%c0] : memref<4xi1>, vector<4xi1>
  %u = kernel.strided_load %x[%c0] stride 3 mask %mask : vector<4xi1> : memref<40xf64> -> vector<4xf64>
  kernel.strided_store %w, %y[%c0] stride 5 mask %mask : vector<4xi1> : vector<4xf64>, memref<40xf64>
  kernel.strided_store %u, %y[%c1] stride 5 mask %mask : vector<4xi1> : vector<4xf64>, memref<40xf64>
  func.return
}
