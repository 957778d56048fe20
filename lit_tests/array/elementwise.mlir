// RUN: gradatim-opt %s | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s
// RUN: gradatim-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @unary(%x: tensor<4xf32>, %n: tensor<4xi32>)
// CHECK-NEXT:    %y = array.neg %x : tensor<4xf32>
// CHECK-NEXT:    %z = array.log1p %y : tensor<4xf32>
// CHECK-NEXT:    %m = array.population_count %n : tensor<4xi32>
// CHECK-NEXT:    func.return %z, %m : tensor<4xf32>, tensor<4xi32>
// GENERIC: %y = "array.neg"(%x) : (tensor<4xf32>) -> tensor<4xf32>
func.func @unary(%x: tensor<4xf32>, %n: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xi32>) {
  %y = array.neg %x : tensor<4xf32>
  %z = array.log1p %y : tensor<4xf32>
  %m = array.population_count %n : tensor<4xi32>
  func.return %z, %m : tensor<4xf32>, tensor<4xi32>
}

// CHECK-LABEL: func.func @binary
// CHECK-NEXT:    %a = array.mul %x, %y : tensor<2x3xui8>
// CHECK-NEXT:    %b = array.shift_left %a, %y : tensor<2x3xui8>
// CHECK-NEXT:    %c = array.max %a, %b : tensor<2x3xui8>
func.func @binary(%x: tensor<2x3xui8>, %y: tensor<2x3xui8>) -> tensor<2x3xui8> {
  %a = array.mul %x, %y : tensor<2x3xui8>
  %b = array.shift_left %a, %y : tensor<2x3xui8>
  %c = array.max %a, %b : tensor<2x3xui8>
  func.return %c : tensor<2x3xui8>
}

// CHECK-LABEL: func.func @choices
// CHECK-NEXT:    %p = array.compare lt %x, %y : tensor<f64> -> tensor<i1>
// CHECK-NEXT:    %q = array.select %p, %x, %y : tensor<i1>, tensor<f64>
// CHECK-NEXT:    %r = array.clamp %x, %q, %y : tensor<f64>
// GENERIC: "array.compare"(%x, %y) <{predicate = #array<predicate lt>}>
func.func @choices(%x: tensor<f64>, %y: tensor<f64>) -> tensor<f64> {
  %p = array.compare lt %x, %y : tensor<f64> -> tensor<i1>
  %q = array.select %p, %x, %y : tensor<i1>, tensor<f64>
  %r = array.clamp %x, %q, %y : tensor<f64>
  func.return %r : tensor<f64>
}

// CHECK-LABEL: func.func @other_result_types
// CHECK-NEXT:    %z = array.complex %x, %x : tensor<3xf32>, tensor<3xf32> -> tensor<3xcomplex<f32>>
// CHECK-NEXT:    %c = array.conj %z : tensor<3xcomplex<f32>>
// CHECK-NEXT:    %a = array.abs %c : tensor<3xcomplex<f32>> -> tensor<3xf32>
// CHECK-NEXT:    %b = array.bitcast_convert %a : tensor<3xf32> -> tensor<3xui32>
// CHECK-NEXT:    %i = array.convert %b : tensor<3xui32> -> tensor<3xi64>
// CHECK-NEXT:    %f = array.is_finite %a : tensor<3xf32> -> tensor<3xi1>
func.func @other_result_types(%x: tensor<3xf32>) -> (tensor<3xi64>, tensor<3xi1>) {
  %z = array.complex %x, %x : tensor<3xf32>, tensor<3xf32> -> tensor<3xcomplex<f32>>
  %c = array.conj %z : tensor<3xcomplex<f32>>
  %a = array.abs %c : tensor<3xcomplex<f32>> -> tensor<3xf32>
  %b = array.bitcast_convert %a : tensor<3xf32> -> tensor<3xui32>
  %i = array.convert %b : tensor<3xui32> -> tensor<3xi64>
  %f = array.is_finite %a : tensor<3xf32> -> tensor<3xi1>
  func.return %i, %f : tensor<3xi64>, tensor<3xi1>
}

// CHECK-LABEL: func.func @cipher
// CHECK-NEXT:    %u = array.threefry_2x32 upper %k, %l, %c, %c : tensor<3xui32>
// CHECK-NEXT:    %b = array.threefry_2x32 both %u, %l, %c, %c : tensor<3xui32>
// GENERIC: "array.threefry_2x32"(%k, %l, %c, %c) <{word = #array<threefry_word upper>}>
func.func @cipher(%k: tensor<3xui32>, %l: tensor<3xui32>, %c: tensor<3xui32>) -> tensor<3xui32> {
  %u = array.threefry_2x32 upper %k, %l, %c, %c : tensor<3xui32>
  %b = array.threefry_2x32 both %u, %l, %c, %c : tensor<3xui32>
  func.return %b : tensor<3xui32>
}
