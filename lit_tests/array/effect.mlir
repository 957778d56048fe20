// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s
// RUN: gradatim-opt %s -p array-canonicalize | filecheck %s --check-prefix=SIMPLE

// What is not pure stays, in its order; what is pure goes where nothing needs it.
// CHECK-LABEL: func.func @f
// CHECK-NEXT:    %a = array.callback 0 : i64 "print" mapping "sequential" types [tensor<i32>] operands(%x : tensor<3xf32>) -> tensor<i32>
// CHECK-NEXT:    %b = array.callback 1 : i64 "now" pure mapping "broadcast_all" types [tensor<f64>] -> tensor<f64>
// SIMPLE-LABEL: func.func @f
// SIMPLE-NEXT:    %a = array.callback 0 : i64 "print"
// SIMPLE-NEXT:    %c = array.callback 0 : i64 "print"
// SIMPLE-NEXT:    func.return %x
func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {
  %a = array.callback 0 : i64 "print" mapping "sequential" types [tensor<i32>] operands(%x : tensor<3xf32>) -> tensor<i32>
  %b = array.callback 1 : i64 "now" pure mapping "broadcast_all" types [tensor<f64>] -> tensor<f64>
  %c = array.callback 0 : i64 "print" mapping "sequential" types [tensor<i32>] operands(%x : tensor<3xf32>) -> tensor<i32>
  func.return %x : tensor<3xf32>
}
