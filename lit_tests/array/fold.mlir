// RUN: gradatim-opt %s -p canonicalize | filecheck %s

// Constants fold by the reference semantics; splats by one element, whatever their size.
// CHECK-LABEL: func.func @small
// CHECK-NEXT:    array.constant dense<[4.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK-NEXT:    func.return
func.func @small() -> tensor<2xf32> {
  %x = array.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = array.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %z = array.add %x, %y : tensor<2xf32>
  func.return %z : tensor<2xf32>
}

// CHECK-LABEL: func.func @large_splat
// CHECK-NEXT:    array.constant dense<9> : tensor<100000000xi32>
// CHECK-NEXT:    func.return
func.func @large_splat() -> tensor<100000000xi32> {
  %x = array.constant dense<3> : tensor<i32>
  %y = array.broadcast %x dims [] : tensor<i32> -> tensor<100000000xi32>
  %z = array.mul %y, %y : tensor<100000000xi32>
  func.return %z : tensor<100000000xi32>
}

// CHECK-LABEL: func.func @not_a_splat
// CHECK:         array.broadcast
func.func @not_a_splat() -> tensor<600x2xi32> {
  %x = array.constant dense<[1, 2]> : tensor<2xi32>
  %y = array.broadcast %x dims [1] : tensor<2xi32> -> tensor<600x2xi32>
  func.return %y : tensor<600x2xi32>
}
