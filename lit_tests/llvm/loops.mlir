// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// The entry takes pointers and returns a status; a loop that runs at least once tests at its end.

// CHECK:       define i32 @gd.main(ptr noalias %a0, ptr noalias %a1) #0 {
// CHECK-NEXT:  entry:
// CHECK-NEXT:    br label %loop1
// CHECK-NEXT:  loop1:
// CHECK-NEXT:    %[[I:v.*]] = phi i64 [ 0, %entry ], [ %[[NEXT:v.*]], %loop1 ]
// CHECK-NEXT:    %[[SUM:v.*]] = phi <4 x double> [ splat (double 0x0000000000000000), %entry ], [ %[[MORE:v.*]], %loop1 ]
// CHECK-NEXT:    %[[P:v.*]] = getelementptr double, ptr %a0, i64 %[[I]]
// CHECK-NEXT:    %[[X:v.*]] = load <4 x double>, ptr %[[P]], align 8
// CHECK-NEXT:    %[[MORE]] = fadd contract <4 x double> %[[SUM]], %[[X]]
// CHECK-NEXT:    %[[NEXT]] = add i64 %[[I]], 4
// CHECK-NEXT:    %[[C:v.*]] = icmp slt i64 %[[NEXT]], 16
// CHECK-NEXT:    br i1 %[[C]], label %loop1, label %end1
// CHECK-NEXT:  end1:
// CHECK-NEXT:    %[[R:v.*]] = call reassoc double @llvm.vector.reduce.fadd.v4f64(double -0.0, <4 x double> %[[MORE]])
// CHECK-NEXT:    store double %[[R]], ptr %a1, align 8
// CHECK-NEXT:    ret i32 0
func.func @f(%x: memref<16xf64>, %y: memref<f64>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant dense<0.000000e+00> : vector<4xf64>
  %sum = scf.for %i = %c0 to %c16 step %c4 iter_args(%a = %zero) -> (vector<4xf64>) {
    %v = vector.load %x[%i] : memref<16xf64>, vector<4xf64>
    %n = arith.addf %a, %v fastmath<contract> : vector<4xf64>
    scf.yield %n : vector<4xf64>
  }
  %r = vector.reduction <add>, %sum fastmath<reassoc> : vector<4xf64> into f64
  memref.store %r, %y[] : memref<f64>
  func.return
}
