// RUN: gradatim-opt %s -p 'array-insert-checks{function=f kinds="index","div","nan" number=7}' | filecheck %s
// RUN: gradatim-opt %s -p 'array-insert-checks{function=f kinds="div"},array-insert-checks{function=f kinds="div"}' --print-debuginfo | filecheck %s --check-prefix=ONCE
// RUN: gradatim-opt %s -p 'array-insert-checks{function=f kinds="div"},array-vmap{function=f size=3 in-axes=0,-1},array-insert-checks{function=f kinds="div"}' --print-debuginfo | filecheck %s --check-prefix=ONCE
// RUN: gradatim-opt %s -p 'array-insert-checks{function=f kinds="div"},array-jvp{function=f},array-insert-checks{function=f kinds="div"}' --print-debuginfo | filecheck %s --check-prefix=NEW

// An index that was counted from the end is told as it was given.

// CHECK-LABEL: func.func @f
// CHECK:         %q = array.div %x, %k : tensor<f64>
// CHECK:         array.compare eq %k
// CHECK:         array.check %{{.*}} "division by zero" raises 7 : i64 names []
// CHECK:         array.compare ne %q, %q
// CHECK:         array.check %{{.*}} "div makes NaN of numbers" raises 7 : i64 names []
// CHECK:         %y = array.dynamic_slice %t[%j]
// CHECK:         [[BEGINS:%.*]] = array.compare ge %j
// CHECK:         [[GIVEN:%.*]] = array.sub %j, %{{.*}} : tensor<i64>
// CHECK-NEXT:    [[TOLD:%.*]] = array.select [[BEGINS]], %j, [[GIVEN]]
// CHECK-NEXT:    array.check %{{.*}} "index {} is out of bounds for axis 0 with size 5" raises 7 : i64 names [""] payload([[TOLD]] : tensor<i64>)

// An op that has its checks gets none again, neither has a batch of it.

// ONCE-COUNT-1:  array.check
// ONCE-NOT:      array.check

// Its derivative is new.

// NEW:           array.check
// NEW:           array.check

func.func @f(%x: tensor<f64>, %i: tensor<i64>) -> (tensor<f64>, tensor<1xf64>) {
  %zero = array.constant dense<0> : tensor<i64>
  %size = array.constant dense<5> : tensor<i64>
  %negative = array.compare lt %i, %zero : tensor<i64> -> tensor<i1>
  %moved = array.add %i, %size : tensor<i64>
  %j = array.select %negative, %moved, %i : tensor<i1>, tensor<i64>
  %k = array.convert %i : tensor<i64> -> tensor<f64>
  %q = array.div %x, %k : tensor<f64> loc("f.py":1:1)
  %t = array.constant dense<0.0> : tensor<5xf64>
  %y = array.dynamic_slice %t[%j] : tensor<5xf64> -> tensor<1xf64>
  func.return %q, %y : tensor<f64>, tensor<1xf64>
}
