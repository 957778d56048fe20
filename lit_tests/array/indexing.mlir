// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @windows
// CHECK-NEXT:    %a = array.dynamic_slice %x[%i, %i] : tensor<5x8xf32> -> tensor<1x4xf32>
// CHECK-NEXT:    %b = array.dynamic_update_slice %x[%i, %i], %u : tensor<5x8xf32>, tensor<1x4xf32>
// CHECK-NEXT:    %c = array.dynamic_slice %s[] : tensor<f32> -> tensor<f32>
func.func @windows(%x: tensor<5x8xf32>, %u: tensor<1x4xf32>, %i: tensor<i64>, %s: tensor<f32>) {
  %a = array.dynamic_slice %x[%i, %i] : tensor<5x8xf32> -> tensor<1x4xf32>
  %b = array.dynamic_update_slice %x[%i, %i], %u : tensor<5x8xf32>, tensor<1x4xf32>
  %c = array.dynamic_slice %s[] : tensor<f32> -> tensor<f32>
  func.return
}

// CHECK-LABEL: func.func @positions
// CHECK-NEXT:    %a = array.gather %x[%i, %i] dims [0, 2] : tensor<5x6x7xf32>, tensor<3xi64>, tensor<3xi64> -> tensor<3x6xf32>
// CHECK-NEXT:    %b = array.scatter add %x[%i, %i], %u dims [2, 0] : tensor<5x6x7xf32>, tensor<3x6xf32>, tensor<3xi64>, tensor<3xi64>
// CHECK-NEXT:    %c = array.scatter set %x[%i, %i], %u dims [2, 0] unique : tensor<5x6x7xf32>, tensor<3x6xf32>, tensor<3xi64>, tensor<3xi64>
// GENERIC:       "array.scatter"(%x, %u, %i, %i) <{kind = #array<scatter_kind add>, dims = #array<integers [2, 0]>}>
func.func @positions(%x: tensor<5x6x7xf32>, %u: tensor<3x6xf32>, %i: tensor<3xi64>) {
  %a = array.gather %x[%i, %i] dims [0, 2] : tensor<5x6x7xf32>, tensor<3xi64>, tensor<3xi64> -> tensor<3x6xf32>
  %b = array.scatter add %x[%i, %i], %u dims [2, 0] : tensor<5x6x7xf32>, tensor<3x6xf32>, tensor<3xi64>, tensor<3xi64>
  %c = array.scatter set %x[%i, %i], %u dims [2, 0] unique : tensor<5x6x7xf32>, tensor<3x6xf32>, tensor<3xi64>, tensor<3xi64>
  func.return
}
