// RUN: gradatim-opt %s -p array-fuse,kernel-bufferize | filecheck %s

// Small arrays are carried as they are; a step's results go where they belong in the stacked ones.
func.func @scalars(%x: tensor<f64>, %v: tensor<f64>) -> (tensor<f64>, tensor<10xf64>) {
  %xs, %vs, %ys = array.scan length 10 carries(%x, %v : tensor<f64>, tensor<f64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %b: tensor<f64>):
    %c = array.constant dense<0.1> : tensor<f64>
    %d = array.mul %b, %c : tensor<f64>
    %e = array.add %a, %d : tensor<f64>
    %f = array.sin %e : tensor<f64>
    %g = array.sub %b, %f : tensor<f64>
    array.yield %e, %g, %f : tensor<f64>, tensor<f64>, tensor<f64>
  }
  func.return %xs, %ys : tensor<f64>, tensor<10xf64>
}
// CHECK-LABEL: func.func @scalars
// CHECK:       %[[X:.*]] = kernel.load %x : memref<f64> -> tensor<f64>
// CHECK-NEXT:  %[[V:.*]] = kernel.load %v : memref<f64> -> tensor<f64>
// CHECK:       %xs, %vs = scf.for %[[I:.*]] = %{{.*}} iter_args(%a = %[[X]], %b = %[[V]]) -> (tensor<f64>, tensor<f64>) {
// CHECK-NEXT:    %[[SLOT:.*]] = memref.subview %out1[%[[I]]] [1] [1] : memref<10xf64> to memref<f64, strided<[], offset: ?>>
// CHECK-NEXT:    %e, %f, %g = kernel.fusion {{.*}} outs(%[[SLOT]] : {{.*}} registers = true> {
// CHECK:         kernel.yield %f_1, %e_1, %f_1, %g_1
// CHECK:         scf.yield %e, %g : tensor<f64>, tensor<f64>
// CHECK-NEXT:  }
// CHECK-NEXT:  kernel.store %xs, %out0 : tensor<f64>, memref<f64>

// A large carry is changed in place; why the initial value is copied is written at the copy.
func.func @mixed(%x: tensor<1000xf64>) -> tensor<1000xf64> {
  %y = array.scan length 10 carries(%x : tensor<1000xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<1000xf64>):
    %s = array.slice %a starts [0] limits [1] strides [1] : tensor<1000xf64> -> tensor<1xf64>
    %t = array.reshape %s : tensor<1xf64> -> tensor<f64>
    %u = array.exp %t : tensor<f64>
    %b = array.broadcast %u dims [] : tensor<f64> -> tensor<1000xf64>
    %c = array.mul %a, %b : tensor<1000xf64>
    array.yield %c : tensor<1000xf64>
  }
  func.return %y : tensor<1000xf64>
}
// CHECK-LABEL: func.func @mixed
// CHECK-NEXT:  "memref.copy"(%x, %out0) {kernel.reason = "a loop changes it: it is an argument"}
// CHECK:       scf.for
// CHECK-NOT:   memref.copy
// CHECK:         kernel.fusion {{.*}} outs(%out0 : memref<1000xf64>)
// CHECK:       func.return

// What cannot be written over the old value takes turns with it.
func.func @between(%x: tensor<32x1000xf32>) -> tensor<32x1000xf32> {
  %y = array.scan length 10 carries(%x : tensor<32x1000xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<32x1000xf32>):
    %s = array.reduce add %a dims [1] : tensor<32x1000xf32> -> tensor<32xf32>
    %t = array.neg %s : tensor<32xf32>
    %b = array.broadcast %t dims [0] : tensor<32xf32> -> tensor<32x1000xf32>
    %c = array.add %a, %b : tensor<32x1000xf32>
    array.yield %c : tensor<32x1000xf32>
  }
  func.return %y : tensor<32x1000xf32>
}
// CHECK-LABEL: func.func @between
// CHECK:       scf.for {{.*}} iter_args(%[[OLD:.*]] = %out0, %[[NEW:.*]] = %{{.*}}) -> (memref<32x1000xf32>, memref<32x1000xf32>) {
// CHECK-NEXT:    kernel.fusion ins(%a = %[[OLD]] : memref<32x1000xf32>) outs(%[[NEW]] : memref<32x1000xf32>)
// CHECK:         scf.yield %[[NEW]], %[[OLD]]

// After an odd number of steps the last value is in the other place, which then is the result's.
func.func @odd(%x: tensor<100xf64>) -> tensor<100xf64> {
  %y = array.scan length 3 carries(%x : tensor<100xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<100xf64>):
    %r = array.reverse %a dims [0] : tensor<100xf64>
    %s = array.add %a, %r : tensor<100xf64>
    array.yield %s : tensor<100xf64>
  }
  func.return %y : tensor<100xf64>
}
// CHECK-LABEL: func.func @odd
// CHECK:       "memref.copy"(%x, %[[FIRST:.*]]) {kernel.reason
// CHECK:       scf.for {{.*}} iter_args(%{{.*}} = %[[FIRST]], %{{.*}} = %out0)
// CHECK-NOT:   memref.copy
// CHECK:       func.return

// Steps on several threads have an arena each.
func.func @map(%x: tensor<64x10000xf32>) -> tensor<64x10000xf32> {
  %y = array.scan length 64 elements(%x : tensor<64x10000xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<10000xf32>):
    %s = array.sin %a : tensor<10000xf32>
    %r = array.reverse %s dims [0] : tensor<10000xf32>
    %c = array.exp %r : tensor<10000xf32>
    %d = array.reverse %c dims [0] : tensor<10000xf32>
    %e = array.mul %d, %s : tensor<10000xf32>
    array.yield %e : tensor<10000xf32>
  }
  func.return %y : tensor<64x10000xf32>
}
// CHECK-LABEL: func.func @map
// CHECK:       "scf.parallel"
// CHECK-NEXT:  ^bb0(%[[N:.*]]: index):
// CHECK-NEXT:    %arena = memref.alloc()
// CHECK:         scf.for
// CHECK:           kernel.fusion
// CHECK:         memref.dealloc %arena
// CHECK-NEXT:    scf.reduce

// A branch that gives its operand as it is writes nothing.
func.func @branch(%p: tensor<i1>, %x: tensor<100xf64>) -> tensor<100xf64> {
  %y = array.exp %x : tensor<100xf64>
  %z = array.case index(%p : tensor<i1>) operands(%y : tensor<100xf64>) {
  ^bb0(%a: tensor<100xf64>):
    array.yield %a : tensor<100xf64>
  } or {
  ^bb0(%a: tensor<100xf64>):
    %n = array.neg %a : tensor<100xf64>
    array.yield %n : tensor<100xf64>
  }
  func.return %z : tensor<100xf64>
}
// CHECK-LABEL: func.func @branch
// CHECK:       kernel.fusion {{.*}} outs(%out0 : memref<100xf64>)
// CHECK:       scf.if %{{.*}} {
// CHECK-NEXT:    kernel.fusion ins(%a = %out0 : memref<100xf64>) outs(%out0 : memref<100xf64>)
// CHECK:       } else {
// CHECK-NEXT:  }
// CHECK-NEXT:  func.return

// A computed number of steps: the results are wherever the loop left them.
func.func @until(%n: tensor<i64>, %x: tensor<100xf64>) -> tensor<100xf64> {
  %zero = array.constant dense<0> : tensor<i64>
  %k, %y = array.while consts(%n : tensor<i64>) carries(%zero, %x : tensor<i64>, tensor<100xf64>) {
  ^bb0(%m: tensor<i64>, %i: tensor<i64>, %a: tensor<100xf64>):
    %c = array.compare lt %i, %m : tensor<i64> -> tensor<i1>
    array.yield %c : tensor<i1>
  } do {
  ^bb0(%m: tensor<i64>, %i: tensor<i64>, %a: tensor<100xf64>):
    %one = array.constant dense<1> : tensor<i64>
    %j = array.add %i, %one : tensor<i64>
    %r = array.reverse %a dims [0] : tensor<100xf64>
    %s = array.add %a, %r : tensor<100xf64>
    array.yield %j, %s : tensor<i64>, tensor<100xf64>
  }
  func.return %y : tensor<100xf64>
}
// CHECK-LABEL: func.func @until
// CHECK:       %[[M:.*]] = kernel.load %n : memref<i64> -> tensor<i64>
// CHECK:       %k, %[[Y:.*]], %{{.*}} = scf.while (%i = %{{.*}}, %{{.*}} = %[[A:.*]], %{{.*}} = %[[B:.*]]) :
// CHECK:         %[[C:.*]] = tensor.extract %{{.*}}[] : tensor<i1>
// CHECK-NEXT:    scf.condition(%[[C]]) %i,
// CHECK:       do {
// CHECK:         scf.yield
// CHECK-NEXT:  }
// CHECK-NEXT:  "memref.copy"(%[[Y]], %out0) {kernel.reason = "it is needed elsewhere"}

// What is carried in registers is read before the memory that it comes from is overwritten.
func.func @read_before(%x: tensor<6xf64>, %y: tensor<6xf64>, %z: tensor<6xf64>) -> tensor<6xf64> {
  %a, %b, %c = array.scan length 3 carries(%x, %y, %z : tensor<6xf64>, tensor<6xf64>, tensor<6xf64>) {
  ^bb0(%i: tensor<i64>, %d: tensor<6xf64>, %e: tensor<6xf64>, %f: tensor<6xf64>):
    %s = array.slice %d starts [0] limits [2] strides [1] : tensor<6xf64> -> tensor<2xf64>
    %n = array.neg %s : tensor<2xf64>
    %u = array.dynamic_update_slice %d[%i], %n : tensor<6xf64>, tensor<2xf64>
    array.yield %u, %u, %e : tensor<6xf64>, tensor<6xf64>, tensor<6xf64>
  }
  func.return %c : tensor<6xf64>
}
// CHECK-LABEL: func.func @read_before
// CHECK:       scf.for
// CHECK:         kernel.fusion {{.*}} outs(%[[OWN:.*]] : memref<6xf64>)
// CHECK:         %[[NEXT:.*]] = kernel.load %[[OTHER:.*]] : memref<6xf64> -> tensor<6xf64>
// CHECK-NEXT:    "memref.copy"(%[[OWN]], %[[OTHER]]) {kernel.reason = "the next step takes it: it is needed elsewhere"}
// CHECK-NEXT:    scf.yield %[[NEXT]] : tensor<6xf64>
