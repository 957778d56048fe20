// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// The body becomes a function; what it uses from outside is handed over on the stack.

// CHECK:       define i32 @gd.main(ptr noalias %a0, ptr noalias %a1) #0 {
// CHECK:         %[[C:v.*]] = alloca [1 x { ptr, <8 x double>, ptr }], align 64
// CHECK:         %[[V:v.*]] = load <8 x double>, ptr %a0
// CHECK:         store ptr %a0, ptr
// CHECK:         store <8 x double> %[[V]], ptr
// CHECK:         store ptr %a1, ptr
// CHECK-NEXT:    call void @gd.parallel(ptr @gd.outlined.0, ptr %[[C]], i64 3)
// CHECK-NEXT:    ret i32 0

// CHECK:       define internal void @gd.outlined.0(ptr noalias readonly %context, i64 %number) #0 {
// CHECK:         %[[X:v.*]] = load ptr, ptr
// CHECK:         %[[OUTER:v.*]] = load <8 x double>, ptr
// CHECK:         %[[Y:v.*]] = load ptr, ptr
// CHECK:         %[[PLACE:v.*]] = mul i64 %number, 8
// CHECK:         getelementptr double, ptr %[[X]], i64 %[[PLACE]]
// CHECK:         fadd <8 x double> %[[OUTER]]
// CHECK:         getelementptr double, ptr %[[Y]], i64 %[[PLACE]]
// CHECK-NEXT:    store <8 x double>
// CHECK-NEXT:    ret void

// CHECK:       declare void @gd.parallel(ptr, ptr, i64)
func.func @f(%x: memref<24xf64>, %y: memref<24xf64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %v = vector.load %x[%c0] : memref<24xf64>, vector<8xf64>
  "scf.parallel"(%c0, %c3, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %place = arith.muli %i, %c8 : index
    %w = vector.load %x[%place] : memref<24xf64>, vector<8xf64>
    %s = arith.addf %v, %w : vector<8xf64>
    vector.store %s, %y[%place] : memref<24xf64>, vector<8xf64>
    scf.reduce
  }) : (index, index, index) -> ()
  func.return
}
