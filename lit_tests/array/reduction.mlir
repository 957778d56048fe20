// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @reductions
// CHECK-NEXT:    %s = array.reduce add %x dims [0, 2] : tensor<2x3x4xf32> -> tensor<3xf32>
// CHECK-NEXT:    %m = array.reduce max %s dims [0] : tensor<3xf32> -> tensor<f32>
// CHECK-NEXT:    %a = array.argreduce min %x dim 1 : tensor<2x3x4xf32> -> tensor<2x4xi64>
// GENERIC: "array.reduce"(%x) <{kind = #array<reduce_kind add>, dims = #array<integers [0, 2]>}>
func.func @reductions(%x: tensor<2x3x4xf32>) -> (tensor<f32>, tensor<2x4xi64>) {
  %s = array.reduce add %x dims [0, 2] : tensor<2x3x4xf32> -> tensor<3xf32>
  %m = array.reduce max %s dims [0] : tensor<3xf32> -> tensor<f32>
  %a = array.argreduce min %x dim 1 : tensor<2x3x4xf32> -> tensor<2x4xi64>
  func.return %m, %a : tensor<f32>, tensor<2x4xi64>
}

// CHECK-LABEL: func.func @running
// CHECK-NEXT:    %y = array.cumulative add %x dim 0 : tensor<5xi32>
// CHECK-NEXT:    %z = array.cumulative max %y dim 0 reverse : tensor<5xi32>
// GENERIC: "array.cumulative"(%y) <{kind = #array<reduce_kind max>, dim = #array<dimension 0>, reverse}>
func.func @running(%x: tensor<5xi32>) -> tensor<5xi32> {
  %y = array.cumulative add %x dim 0 : tensor<5xi32>
  %z = array.cumulative max %y dim 0 reverse : tensor<5xi32>
  func.return %z : tensor<5xi32>
}

// CHECK-LABEL: func.func @windows
// CHECK-NEXT:    %y = array.reduce_window max %x sizes [2, 3] strides [2, 1] dilations [1, 1] low [0, 1] high [0, -1] : tensor<4x5xf32> -> tensor<2x3xf32>
// GENERIC: "array.reduce_window"(%x) <{kind = #array<reduce_kind max>, sizes = #array<integers [2, 3]>
func.func @windows(%x: tensor<4x5xf32>) -> tensor<2x3xf32> {
  %y = array.reduce_window max %x sizes [2, 3] strides [2, 1] dilations [1, 1] low [0, 1] high [0, -1] : tensor<4x5xf32> -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}
