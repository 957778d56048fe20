// RUN: gradatim-opt %s -p 'array-permute-arguments{function=f arguments=2,0,1},array-select-results{function=f results=1}' | filecheck %s
// RUN: gradatim-opt %s -p 'array-permute-arguments{arguments=0,0,1}' --verify-diagnostics | filecheck %s --check-prefix WRONG

func.func @f(%x: tensor<f64>, %y: tensor<i32>, %z: tensor<2xf64>) -> (tensor<f64>, tensor<i32>) {
  %s = array.sin %x : tensor<f64>
  func.return %s, %y : tensor<f64>, tensor<i32>
}

// CHECK:      func.func @f(%z: tensor<2xf64>, %x: tensor<f64>, %y: tensor<i32>) -> tensor<i32> {
// CHECK-NEXT:   %s = array.sin %x
// CHECK-NEXT:   func.return %y : tensor<i32>

// WRONG: @f has 3 arguments, not [0, 0, 1]
