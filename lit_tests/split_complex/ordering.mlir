// RUN: gradatim-opt %s -p array-split-complex | filecheck %s

// Complex keys are three: which parts are NaN, the real part, the imaginary one.

func.func @f(%z: tensor<4xcomplex<f64>>, %w: tensor<4xcomplex<f64>>) -> (tensor<4xcomplex<f64>>, tensor<4xi64>) {
  %a, %b, %p = array.sort %z, %w dim 0 keys 1 : tensor<4xcomplex<f64>>, tensor<4xcomplex<f64>> -> tensor<4xcomplex<f64>>, tensor<4xcomplex<f64>>, tensor<4xi64>
  func.return %b, %p : tensor<4xcomplex<f64>>, tensor<4xi64>
}

// CHECK-LABEL: func.func @f
// CHECK:         [[R:%.*]] = array.compare ne [[REAL:%.*]], [[REAL]]
// CHECK-NEXT:    [[RN:%.*]] = array.convert [[R]] : tensor<4xi1> -> tensor<4xui8>
// CHECK-NEXT:    [[I:%.*]] = array.compare ne [[IMAG:%.*]], [[IMAG]]
// CHECK-NEXT:    [[IN:%.*]] = array.convert [[I]] : tensor<4xi1> -> tensor<4xui8>
// CHECK-NEXT:    [[TWICE:%.*]] = array.add [[RN]], [[RN]]
// CHECK-NEXT:    [[RANK:%.*]] = array.add [[TWICE]], [[IN]]
// CHECK-NEXT:    {{%.*}}, {{%.*}}, {{%.*}}, [[B:%.*]], [[C:%.*]], %p = array.sort [[RANK]], [[REAL]], [[IMAG]], {{%.*}}, {{%.*}} dim 0 keys 3
// CHECK:         array.concatenate
// CHECK-NEXT:    func.return {{%.*}}, %p
