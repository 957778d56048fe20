// RUN: gradatim-opt %s -p array-fuse,kernel-bufferize | filecheck %s

// What is pushed is written to its record, which is made when the tape is known; what is popped is
// read there. A tape that nothing uses any more is given back.
func.func @there_and_back(%n: tensor<i64>, %x: tensor<100xf64>) -> tensor<100xf64> {
  %zero = array.constant dense<0> : tensor<i64>
  %t = array.tape_new : !array.tape<tensor<i64>, tensor<100xf64>>
  %u, %k, %y = array.while consts(%n : tensor<i64>) carries(%t, %zero, %x : !array.tape<tensor<i64>, tensor<100xf64>>, tensor<i64>, tensor<100xf64>) {
  ^bb0(%m: tensor<i64>, %s: !array.tape<tensor<i64>, tensor<100xf64>>, %i: tensor<i64>, %a: tensor<100xf64>):
    %c = array.compare lt %i, %m : tensor<i64> -> tensor<i1>
    array.yield %c : tensor<i1>
  } do {
  ^bb0(%m: tensor<i64>, %s: !array.tape<tensor<i64>, tensor<100xf64>>, %i: tensor<i64>, %a: tensor<100xf64>):
    %one = array.constant dense<1> : tensor<i64>
    %j = array.add %i, %one : tensor<i64>
    %b = array.sin %a : tensor<100xf64>
    %p = array.tape_push %s, %j, %b : !array.tape<tensor<i64>, tensor<100xf64>>, tensor<i64>, tensor<100xf64> -> !array.tape<tensor<i64>, tensor<100xf64>>
    array.yield %p, %j, %b : !array.tape<tensor<i64>, tensor<100xf64>>, tensor<i64>, tensor<100xf64>
  }
  %v, %l, %z = array.tape_pop %u : !array.tape<tensor<i64>, tensor<100xf64>>, tensor<i64>, tensor<100xf64> from !array.tape<tensor<i64>, tensor<100xf64>>
  %w = array.neg %z : tensor<100xf64>
  func.return %w : tensor<100xf64>
}
// CHECK-LABEL: func.func @there_and_back
// CHECK-SAME:  %out0: memref<100xf64>) -> i32 {
// CHECK:       %status = memref.alloca() {alignment = 64 : i64} : memref<i32>
// CHECK:       memref.store %{{.*}}, %status[] : memref<i32>
// CHECK:       %[[T:.*]] = kernel.tape_new : !kernel.tape
// CHECK:       scf.while (%s = %[[T]],
// CHECK:       ^bb{{.*}}(%[[S:s.*]]: !kernel.tape, %[[I:i.*]]: tensor<i64>):
// CHECK-NEXT:    %[[U:.*]], %[[R:.*]] = kernel.tape_push %[[S]] status %status : !kernel.tape, memref<i32> -> !kernel.tape, memref<808xi8>
// CHECK:         %[[F0:.*]] = memref.view %[[R]][%{{.*}}][] : memref<808xi8> to memref<i64>
// CHECK:         %[[F1:.*]] = memref.view %[[R]][%{{.*}}][] : memref<808xi8> to memref<100xf64>
// CHECK:         %j = kernel.fusion {{.*}} outs(%[[F0]] : memref<i64>) {{.*}} registers = true> {
// CHECK:         kernel.fusion ins(%a = %[[A:.*]] : memref<100xf64>) outs(%[[A]] : memref<100xf64>, %[[F1]] : memref<100xf64>)
// CHECK:         scf.yield %[[U]], %j
// CHECK:       %[[V:.*]], %[[R:.*]] = kernel.tape_pop %u : !kernel.tape -> !kernel.tape, memref<808xi8>
// CHECK:       %[[Z:.*]] = memref.view %[[R]][%{{.*}}][] : memref<808xi8> to memref<100xf64>
// CHECK-NEXT:  kernel.fusion ins(%z = %[[Z]] : memref<100xf64>) outs(%out0 : memref<100xf64>)
// CHECK:       kernel.tape_free %[[V]] record 808 : !kernel.tape
// CHECK:       %[[STATUS:.*]] = memref.load %status[] : memref<i32>
// CHECK-NEXT:  func.return %[[STATUS]] : i32
