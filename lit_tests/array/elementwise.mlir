// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s

// CHECK-LABEL: func.func @square(%x: tensor<4xf32>)
// CHECK-NEXT:    %y = array.mul %x, %x : tensor<4xf32>
// CHECK-NEXT:    func.return %y
func.func @square(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = array.mul %x, %x : tensor<4xf32>
  func.return %y : tensor<4xf32>
}
