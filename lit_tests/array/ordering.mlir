// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @sorted
// CHECK-NEXT:    %s, %p = array.sort %x dim 1 keys 1 : tensor<2x3xf32> -> tensor<2x3xf32>, tensor<2x3xi64>
// GENERIC: "array.sort"(%x) <{dim = #array<dimension 1>, keys = 1 : i64}>
func.func @sorted(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xi64>) {
  %s, %p = array.sort %x dim 1 keys 1 : tensor<2x3xf32> -> tensor<2x3xf32>, tensor<2x3xi64>
  func.return %s, %p : tensor<2x3xf32>, tensor<2x3xi64>
}

// Two keys, and an array that is sorted with them.

// CHECK-LABEL: func.func @together
// CHECK-NEXT:    %a, %b, %c, %p = array.sort %x, %y, %z dim 0 keys 2 : tensor<4xf64>, tensor<4xi32>, tensor<4xi1> -> tensor<4xf64>, tensor<4xi32>, tensor<4xi1>, tensor<4xi64>
func.func @together(%x: tensor<4xf64>, %y: tensor<4xi32>, %z: tensor<4xi1>) -> tensor<4xi1> {
  %a, %b, %c, %p = array.sort %x, %y, %z dim 0 keys 2 : tensor<4xf64>, tensor<4xi32>, tensor<4xi1> -> tensor<4xf64>, tensor<4xi32>, tensor<4xi1>, tensor<4xi64>
  func.return %c : tensor<4xi1>
}
