// RUN: gradatim-opt %s -p 'array-insert-checks{function=f kinds="index"},array-checks{function=f},array-canonicalize' | filecheck %s
// RUN: gradatim-opt %s -p array-raise-checks | filecheck %s --check-prefix=RAISE
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s --check-prefix=SYNTAX

// The function returns the number of the check that failed first, and what its message tells.

// CHECK-LABEL: func.func @f
// CHECK-SAME:    -> (tensor<2xf64>, tensor<i64>, tensor<i64>)
// CHECK-SAME:    message = "bad {v}", names = ["v"], slots = array<i64: 0>
// CHECK-SAME:    message = "a window of 2 elements at index {} is out of bounds for axis 0 with size 5", names = [""], slots = array<i64: 0>
// CHECK:         %2 = array.select %ok, %0, %1
// CHECK-NEXT:    %3 = array.select %ok, %0, %i
// CHECK-NEXT:    %y = array.dynamic_slice
// CHECK:         %9 = array.compare eq %2, %0
// CHECK-NEXT:    %10 = array.and %8, %9
// CHECK:         %12 = array.select %10, %11, %2
// CHECK-NEXT:    %13 = array.select %10, %i, %3
// CHECK-NEXT:    func.return %y, %12, %13

// RAISE:         array.case index(%ok : tensor<i1>) operands(%i : tensor<i64>) {
// RAISE:           array.callback 3 : i64 "bad {v}"
// RAISE-NOT:       array.check

// SYNTAX:        %c = array.check %ok "bad {v}" raises 3 : i64 names ["v"] payload(%i : tensor<i64>)
func.func @f(%x: tensor<5xf64>, %i: tensor<i64>, %ok: tensor<i1>) -> tensor<2xf64> {
  %c = array.check %ok "bad {v}" raises 3 : i64 names ["v"] payload(%i : tensor<i64>)
  %y = array.dynamic_slice %x[%i] : tensor<5xf64> -> tensor<2xf64>
  func.return %y : tensor<2xf64>
}
