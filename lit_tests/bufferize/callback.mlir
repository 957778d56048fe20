// RUN: gradatim-opt %s -p array-fuse,kernel-bufferize | filecheck %s
// RUN: gradatim-opt %s -p array-fuse,kernel-bufferize,kernel-lower-to-loops | filecheck %s --check-prefix=LOOP

// A callback gets the status, too, in which it says that it raised; then loops end.
func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %0 = array.while carries(%x : tensor<f64>) {
  ^bb0(%a: tensor<f64>):
    %one = array.constant dense<1.0> : tensor<f64>
    %more = array.compare lt %a, %one : tensor<f64> -> tensor<i1>
    array.yield %more : tensor<i1>
  } do {
  ^bb0(%a: tensor<f64>):
    %b = array.callback 3 : i64 "wait" mapping "sequential" types [tensor<f64>] operands(%a : tensor<f64>) -> tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %0 : tensor<f64>
}
// CHECK-LABEL: func.func @f
// CHECK-SAME:  -> i32 {
// CHECK:       %status = memref.alloca() {alignment = 64 : i64} : memref<i32>
// CHECK:       scf.while
// CHECK:         %[[MORE:.*]] = tensor.extract %more[] : tensor<i1>
// CHECK-NEXT:    %[[S:.*]] = memref.load %status[] : memref<i32>
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-NEXT:    %[[GOOD:.*]] = arith.cmpi eq, %[[S]], %[[ZERO]] : i32
// CHECK-NEXT:    %[[BOTH:.*]] = arith.andi %[[MORE]], %[[GOOD]] : i1
// CHECK-NEXT:    scf.condition(%[[BOTH]])
// CHECK:         kernel.fusion ins(%a = %{{.*}} : memref<f64>, %{{.*}} = %status : memref<i32>)
// CHECK-NEXT:      array.callback 3
// CHECK:       %[[R:.*]] = memref.load %status[] : memref<i32>
// CHECK-NEXT:  func.return %[[R]] : i32

// LOOP:        } do {
// LOOP:        %[[FOUND:.*]] = memref.load %status[] : memref<i32>
// LOOP:        %[[GOOD:.*]] = arith.cmpi eq, %[[FOUND]], %{{.*}} : i32
// LOOP:        scf.if %[[GOOD]] {
// LOOP:          %[[STATUS:.*]] = "memref.cast"(%status)
// LOOP-NEXT:     func.call @gd.callback.3.f64.to.f64(%{{.*}}, %{{.*}}, %[[STATUS]])
