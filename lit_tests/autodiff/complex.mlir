// RUN: gradatim-opt %s -p 'array-vjp{value=false},array-dce' --split-input-file | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p array-jvp --split-input-file | filecheck %s --check-prefix JVP

// Holomorphic functions: as for real numbers, without conjugation.

func.func @holomorphic(%x: tensor<complex<f64>>) -> tensor<complex<f64>> {
  %y = array.sin %x : tensor<complex<f64>>
  func.return %y : tensor<complex<f64>>
}

// VJP-LABEL: func.func @holomorphic(%x: tensor<complex<f64>>, %cotangent: tensor<complex<f64>>) -> tensor<complex<f64>>
// VJP-NEXT:    %0 = array.cos %x : tensor<complex<f64>>
// VJP-NEXT:    %1 = array.mul %cotangent, %0 : tensor<complex<f64>>
// VJP-NEXT:    func.return %1 : tensor<complex<f64>>

// JVP-LABEL: func.func @holomorphic(%x: tensor<complex<f64>>, %x_tangent: tensor<complex<f64>>) -> (tensor<complex<f64>>, tensor<complex<f64>>)
// JVP-NEXT:    %y = array.sin %x : tensor<complex<f64>>
// JVP-NEXT:    %0 = array.cos %x : tensor<complex<f64>>
// JVP-NEXT:    %1 = array.mul %x_tangent, %0 : tensor<complex<f64>>
// JVP-NEXT:    func.return %y, %1 : tensor<complex<f64>>, tensor<complex<f64>>

// -----

// The modulus has the gradient conj(x) / |x|.

func.func @abs(%x: tensor<complex<f64>>) -> tensor<f64> {
  %y = array.abs %x : tensor<complex<f64>> -> tensor<f64>
  func.return %y : tensor<f64>
}

// VJP-LABEL: func.func @abs(%x: tensor<complex<f64>>, %cotangent: tensor<f64>) -> tensor<complex<f64>>
// VJP-NEXT:    %0 = array.sign %x : tensor<complex<f64>>
// VJP-NEXT:    %1 = array.convert %cotangent : tensor<f64> -> tensor<complex<f64>>
// VJP-NEXT:    %2 = array.conj %0 : tensor<complex<f64>>
// VJP-NEXT:    %3 = array.mul %1, %2 : tensor<complex<f64>>
// VJP-NEXT:    func.return %3 : tensor<complex<f64>>

// JVP-LABEL: func.func @abs(%x: tensor<complex<f64>>, %x_tangent: tensor<complex<f64>>) -> (tensor<f64>, tensor<f64>)
// JVP-NEXT:    %y = array.abs %x : tensor<complex<f64>> -> tensor<f64>
// JVP-NEXT:    %0 = array.sign %x : tensor<complex<f64>>
// JVP-NEXT:    %1 = array.conj %0 : tensor<complex<f64>>
// JVP-NEXT:    %2 = array.mul %x_tangent, %1 : tensor<complex<f64>>
// JVP-NEXT:    %3 = array.real %2 : tensor<complex<f64>> -> tensor<f64>
// JVP-NEXT:    func.return %y, %3 : tensor<f64>, tensor<f64>

// -----

func.func @imag(%x: tensor<complex<f32>>) -> tensor<f32> {
  %y = array.imag %x : tensor<complex<f32>> -> tensor<f32>
  func.return %y : tensor<f32>
}

// VJP-LABEL: func.func @imag(%x: tensor<complex<f32>>, %cotangent: tensor<f32>) -> tensor<complex<f32>>
// VJP-NEXT:    %0 = array.constant dense<0.000000e+00> : tensor<f32>
// VJP-NEXT:    %1 = array.neg %cotangent : tensor<f32>
// VJP-NEXT:    %2 = array.complex %0, %1 : tensor<f32>, tensor<f32> -> tensor<complex<f32>>
// VJP-NEXT:    func.return %2 : tensor<complex<f32>>

// JVP-LABEL: func.func @imag(%x: tensor<complex<f32>>, %x_tangent: tensor<complex<f32>>) -> (tensor<f32>, tensor<f32>)
// JVP-NEXT:    %y = array.imag %x : tensor<complex<f32>> -> tensor<f32>
// JVP-NEXT:    %0 = array.imag %x_tangent : tensor<complex<f32>> -> tensor<f32>
// JVP-NEXT:    func.return %y, %0 : tensor<f32>, tensor<f32>

// -----

// A real number that becomes complex gets back a real cotangent.

func.func @convert(%x: tensor<f64>) -> tensor<complex<f64>> {
  %y = array.convert %x : tensor<f64> -> tensor<complex<f64>>
  func.return %y : tensor<complex<f64>>
}

// VJP-LABEL: func.func @convert(%x: tensor<f64>, %cotangent: tensor<complex<f64>>) -> tensor<f64>
// VJP-NEXT:    %0 = array.convert %cotangent : tensor<complex<f64>> -> tensor<f64>
// VJP-NEXT:    func.return %0 : tensor<f64>

// JVP-LABEL: func.func @convert(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<complex<f64>>, tensor<complex<f64>>)
// JVP-NEXT:    %y = array.convert %x : tensor<f64> -> tensor<complex<f64>>
// JVP-NEXT:    %0 = array.convert %x_tangent : tensor<f64> -> tensor<complex<f64>>
// JVP-NEXT:    func.return %y, %0 : tensor<complex<f64>>, tensor<complex<f64>>
