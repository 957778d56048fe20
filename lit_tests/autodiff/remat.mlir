// RUN: gradatim-opt %s -p 'array-remat{policy="names:a"}' | filecheck %s

// The body of a function becomes that of a remat; calls are inlined first.

func.func private @sine(%x: tensor<f64>) -> tensor<f64> {
  %y = array.sin %x : tensor<f64>
  func.return %y : tensor<f64>
}

func.func @f(%x: tensor<f64>, %n: tensor<i32>) -> (tensor<f64>, tensor<i32>) {
  %y = func.call @sine(%x) : (tensor<f64>) -> tensor<f64>
  func.return %y, %n : tensor<f64>, tensor<i32>
}

// CHECK-LABEL: func.func @f(%x: tensor<f64>, %n: tensor<i32>) -> (tensor<f64>, tensor<i32>)
// CHECK-NEXT:    %[[R:.*]], %[[N:.*]] = array.remat policy "names:a" operands(%x, %n : tensor<f64>, tensor<i32>) {
// CHECK-NEXT:    ^bb0(%[[X:.*]]: tensor<f64>, %[[M:.*]]: tensor<i32>):
// CHECK-NEXT:      %y = array.sin %[[X]] : tensor<f64>
// CHECK-NEXT:      array.yield %y, %[[M]]
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return %[[R]], %[[N]]
