// RUN: gradatim-opt %s -p array-split-complex --split-input-file | filecheck %s

// A complex argument is a real array with a last dimension of two; dead parts go.

// CHECK-LABEL: func.func @real_part
// CHECK-SAME:    (%z: tensor<4x2xf64>) -> tensor<4xf64>
// CHECK-NEXT:    %[[S:.*]] = array.slice %z starts [0, 0] limits [4, 1] strides [1, 1]
// CHECK-NEXT:    %[[X:.*]] = array.reshape %[[S]] : tensor<4x1xf64> -> tensor<4xf64>
// CHECK-NEXT:    func.return %[[X]]
func.func @real_part(%z: tensor<4xcomplex<f64>>) -> tensor<4xf64> {
  %x = array.real %z : tensor<4xcomplex<f64>> -> tensor<4xf64>
  func.return %x : tensor<4xf64>
}

// -----

// A real factor has no imaginary part, so a product with it takes two multiplications.

// CHECK-LABEL: func.func @scale
// CHECK:         array.mul
// CHECK-NEXT:    array.mul
// CHECK-NOT:     array.mul
// CHECK:         array.concatenate %{{.*}}, %{{.*}} dim 1 : tensor<4x1xf64>, tensor<4x1xf64> -> tensor<4x2xf64>
func.func @scale(%z: tensor<4xcomplex<f64>>, %x: tensor<4xf64>) -> tensor<4xcomplex<f64>> {
  %c = array.convert %x : tensor<4xf64> -> tensor<4xcomplex<f64>>
  %p = array.mul %z, %c : tensor<4xcomplex<f64>>
  func.return %p : tensor<4xcomplex<f64>>
}

// -----

// Real functions stay as they are.

// CHECK-LABEL: func.func @real
// CHECK-NEXT:    array.sin %x : tensor<4xf64>
func.func @real(%x: tensor<4xf64>) -> tensor<4xf64> {
  %s = array.sin %x : tensor<4xf64>
  func.return %s : tensor<4xf64>
}
