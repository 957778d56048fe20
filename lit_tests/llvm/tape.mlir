// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// A push is a comparison and an increment beside the stores; growing is a call. The status tells
// whether there was memory. A pop of the last record of a ring, which a tape is if there was none,
// gives the one at its end.

// CHECK:       define i32 @gd.main(
// CHECK:         %[[STATUS:v.*]] = alloca [1 x i32], align 64
// CHECK:         %[[SIZE:v.*]] = extractvalue { ptr, i64, i64 } zeroinitializer, 1
// CHECK-NEXT:    %[[ROOM:v.*]] = extractvalue { ptr, i64, i64 } zeroinitializer, 2
// CHECK-NEXT:    %[[FULL:v.*]] = icmp eq i64 %[[SIZE]], %[[ROOM]]
// CHECK-NEXT:    br i1 %[[FULL]], label %grow1, label %push1
// CHECK-NEXT:  grow1:
// CHECK-NEXT:    %[[GROWN:v.*]] = call { ptr, i64, i64 } @gd.tape.grow({ ptr, i64, i64 } zeroinitializer, i64 16, ptr @gd.tape.ring.16, ptr %[[STATUS]])
// CHECK-NEXT:    br label %push1
// CHECK-NEXT:  push1:
// CHECK-NEXT:    %[[TAPE:v.*]] = phi { ptr, i64, i64 } [ zeroinitializer, %entry ], [ %[[GROWN]], %grow1 ]
// CHECK-NEXT:    %[[NUMBER:v.*]] = extractvalue { ptr, i64, i64 } %[[TAPE]], 1
// CHECK:         %[[MORE:v.*]] = add i64 %[[NUMBER]], 1
// CHECK-NEXT:    %[[PUSHED:v.*]] = insertvalue { ptr, i64, i64 } %[[TAPE]], i64 %[[MORE]], 1
// CHECK:         store double
// CHECK:         %[[COUNT:v.*]] = extractvalue { ptr, i64, i64 } %[[PUSHED]], 1
// CHECK-NEXT:    %[[NONE:v.*]] = icmp eq i64 %[[COUNT]], 0
// CHECK-NEXT:    %[[ROOM:v.*]] = extractvalue { ptr, i64, i64 } %[[PUSHED]], 2
// CHECK-NEXT:    select i1 %[[NONE]], i64 %[[ROOM]], i64 %[[COUNT]]
// CHECK:         call void @gd.free(ptr
// CHECK:         %[[CODE:v.*]] = load i32, ptr %[[STATUS]], align 4
// CHECK-NEXT:    ret i32 %[[CODE]]
// CHECK:       define internal { ptr, i64, i64 } @gd.tape.grow(
// CHECK:       @gd.tape.ring.16 = internal global [16 x i8] zeroinitializer, align 64
func.func @f(%x: memref<f64>, %out: memref<f64>) -> i32 {
  %status = memref.alloca() {alignment = 64 : i64} : memref<i32>
  %c0 = arith.constant 0 : index
  %t = kernel.tape_new : !kernel.tape
  %u, %r = kernel.tape_push %t status %status : !kernel.tape, memref<i32> -> !kernel.tape, memref<16xi8>
  %f = memref.view %r[%c0][] : memref<16xi8> to memref<f64>
  %v = memref.load %x[] : memref<f64>
  memref.store %v, %f[] : memref<f64>
  %w, %s = kernel.tape_pop %u : !kernel.tape -> !kernel.tape, memref<16xi8>
  %g = memref.view %s[%c0][] : memref<16xi8> to memref<f64>
  %y = memref.load %g[] : memref<f64>
  memref.store %y, %out[] : memref<f64>
  kernel.tape_free %w record 16 : !kernel.tape
  %code = memref.load %status[] : memref<i32>
  func.return %code : i32
}
