// RUN: gradatim-opt %s -t llvm{function=f} | filecheck %s

// A thread takes the reserve if it is free, and allocates else; that may be tried again.

// CHECK:       define i32 @gd.main(ptr noalias %a0)
// CHECK:         %[[RESERVE:.*]] = call noalias ptr @gd.alloc(i64 128)
// CHECK:         ret i32 1
// CHECK:         store i32 0, ptr %[[RESERVE]], align 64
// CHECK-NEXT:    %[[OWN:.*]] = call noalias ptr @gd.scratch.take(ptr %[[RESERVE]], i64 64)
// CHECK-NEXT:    store double %{{.*}}, ptr %[[OWN]]
// CHECK-NEXT:    call void @gd.scratch.give(ptr %[[OWN]], ptr %[[RESERVE]])
// CHECK:       define internal noalias ptr @gd.scratch.take(ptr %reserve, i64 %bytes)
// CHECK:         atomicrmw xchg ptr %reserve, i32 1 acquire
// CHECK:         br i1 %none, label %try, label %allocated
// CHECK:       define internal void @gd.scratch.give(ptr %data, ptr %reserve)
// CHECK:         store atomic i32 0, ptr %reserve release
func.func @f(%x: memref<1xf64>) {
  %reserve = memref.alloc() : memref<128xi8>
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<1xf64>
  kernel.scratch_reserve %reserve : memref<128xi8>
  %own = kernel.scratch_take %reserve : memref<128xi8> -> memref<64xi8>
  %place = memref.view %own[%c0][] : memref<64xi8> to memref<8xf64>
  memref.store %v, %place[%c0] : memref<8xf64>
  kernel.scratch_give %own, %reserve : memref<64xi8>, memref<128xi8>
  memref.dealloc %reserve : memref<128xi8>
  func.return
}
