// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// Lanes at positions of their own from an offset on; bools take a byte in memory.

// CHECK:       define i32 @gd.main(
// CHECK:         %[[P:v.*]] = load <4 x i64>, ptr %a1
// CHECK-NEXT:    %[[M:v.*]] = getelementptr i8, ptr %a0, <4 x i64> %[[P]]
// CHECK-NEXT:    %[[B:v.*]] = call <4 x i8> @llvm.masked.gather.v4i8.v4p0(<4 x ptr> align 1 %[[M]], <4 x i1> splat (i1 true), <4 x i8> zeroinitializer)
// CHECK-NEXT:    %[[MASK:v.*]] = icmp ne <4 x i8> %[[B]], zeroinitializer
// CHECK-NEXT:    %[[FIRST:v.*]] = getelementptr double, ptr %a2, i64 1
// CHECK-NEXT:    %[[SOURCE:v.*]] = getelementptr double, ptr %[[FIRST]], <4 x i64> %[[P]]
// CHECK-NEXT:    %[[V:v.*]] = call <4 x double> @llvm.masked.gather.v4f64.v4p0(<4 x ptr> align 8 %[[SOURCE]], <4 x i1> %[[MASK]], <4 x double> zeroinitializer)
// CHECK-NEXT:    %[[TARGET:v.*]] = getelementptr double, ptr %a3, <4 x i64> %[[P]]
// CHECK-NEXT:    call void @llvm.masked.scatter.v4f64.v4p0(<4 x double> %[[V]], <4 x ptr> align 8 %[[TARGET]], <4 x i1> %[[MASK]])
func.func @f(%m: memref<9xi1>, %i: memref<4xi64>, %x: memref<9xf64>, %y: memref<9xf64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = vector.load %i[%c0] : memref<4xi64>, vector<4xi64>
  %mask = kernel.gather_load %m[%c0] at %p : memref<9xi1>, vector<4xi64> -> vector<4xi1>
  %v = kernel.gather_load %x[%c1] at %p mask %mask : vector<4xi1> : memref<9xf64>, vector<4xi64> -> vector<4xf64>
  kernel.scatter_store %v, %y[%c0] at %p mask %mask : vector<4xi1> : vector<4xf64>, memref<9xf64>, vector<4xi64>
  func.return
}
