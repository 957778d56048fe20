// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// CHECK:       define i32 @gd.main(ptr noalias %a0, ptr noalias %a1) #0 {
// CHECK:         br label %[[HEAD:head.*]]
// CHECK-NEXT:  [[HEAD]]:
// CHECK-NEXT:    %[[X:v.*]] = phi i64 [ %[[START:v.*]], %entry ], [ %[[NEXT:v.*]], %[[MERGE:merge.*]] ]
// CHECK-NEXT:    %[[C:v.*]] = icmp slt i64 %[[X]], 100
// CHECK-NEXT:    br i1 %[[C]], label %[[LOOP:loop.*]], label %[[END:end.*]]
// CHECK-NEXT:  [[LOOP]]:
// CHECK:         br i1 %{{.*}}, label %[[THEN:then.*]], label %[[ELSE:else.*]]
// CHECK-NEXT:  [[THEN]]:
// CHECK-NEXT:    %[[A:v.*]] = mul i64 %[[X]], 3
// CHECK-NEXT:    br label %[[MERGE]]
// CHECK-NEXT:  [[ELSE]]:
// CHECK-NEXT:    br label %[[MERGE]]
// CHECK-NEXT:  [[MERGE]]:
// CHECK-NEXT:    %[[NEXT]] = phi i64 [ %[[A]], %[[THEN]] ], [ 100, %[[ELSE]] ]
// CHECK-NEXT:    br label %[[HEAD]]
// CHECK-NEXT:  [[END]]:
// CHECK-NEXT:    store i64 %[[X]]
func.func @f(%x: memref<i64>, %y: memref<i64>) {
  %start = memref.load %x[] : memref<i64>
  %c3 = arith.constant 3 : i64
  %c50 = arith.constant 50 : i64
  %c100 = arith.constant 100 : i64
  %end = scf.while (%a = %start) : (i64) -> i64 {
    %more = arith.cmpi slt, %a, %c100 : i64
    scf.condition(%more) %a : i64
  } do {
  ^bb0(%b: i64):
    %small = arith.cmpi slt, %b, %c50 : i64
    %next = scf.if %small -> (i64) {
      %m = arith.muli %b, %c3 : i64
      scf.yield %m : i64
    } else {
      scf.yield %c100 : i64
    }
    scf.yield %next : i64
  }
  memref.store %end, %y[] : memref<i64>
  func.return
}
