// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// A bool takes a byte in memory; stack slots go to the entry block; constants are bytes.

// CHECK:       @table = internal constant [16 x i8] c"\00\00\00\00\00\00\F0\3F\00\00\00\00\00\00\00\40", align 64
// CHECK:       define i32 @gd.main(
// CHECK-NEXT:  entry:
// CHECK-NEXT:    %[[SLOT:v.*]] = alloca [4 x double], align 64
// CHECK-NEXT:    %[[BYTES:v.*]] = load <4 x i8>, ptr %a0, align 1
// CHECK-NEXT:    %[[BITS:v.*]] = icmp ne <4 x i8> %[[BYTES]], zeroinitializer
// CHECK-NEXT:    %[[K:v.*]] = call <4 x double> @llvm.masked.load.v4f64.p0(ptr align 8 %[[SLOT]], <4 x i1> %[[BITS]]
// CHECK-NEXT:    %[[P:v.*]] = getelementptr double, ptr @table, i64 1
// CHECK-NEXT:    load double, ptr %[[P]], align 8
// CHECK:         %[[B:v.*]] = zext <4 x i1> %[[BITS]] to <4 x i8>
// CHECK-NEXT:    store <4 x i8> %[[B]], ptr %a1, align 1
"memref.global"() <{sym_name = "table", type = memref<2xf64>, initial_value = dense<[1.0, 2.0]> : tensor<2xf64>, sym_visibility = "private", constant}> : () -> ()
func.func @f(%x: memref<4xi1>, %y: memref<4xi1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.000000e+00> : vector<4xf64>
  %slot = memref.alloca() : memref<4xf64>
  %m = vector.load %x[%c0] : memref<4xi1>, vector<4xi1>
  %k = vector.maskedload %slot[%c0], %m, %zero : memref<4xf64>, vector<4xi1>, vector<4xf64> into vector<4xf64>
  %t = memref.get_global @table : memref<2xf64>
  %e = memref.load %t[%c1] : memref<2xf64>
  vector.store %m, %y[%c0] : memref<4xi1>, vector<4xi1>
  func.return
}
