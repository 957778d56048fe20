// RUN: gradatim-opt %s -p 'array-add-status{function=f condition=holds arguments=1}' --split-input-file | filecheck %s

// The function tells by a last result whether the condition on its first arguments holds.

// CHECK-LABEL: func.func @f(%x: tensor<f64>, %t: tensor<f64>) -> (tensor<f64>, tensor<i32>)
// CHECK-NEXT:    %0 = array.mul %x, %t
// CHECK-NEXT:    %1 = func.call @holds(%x) : (tensor<f64>) -> tensor<i1>
// CHECK-NEXT:    %2 = array.constant dense<true> : tensor<i1>
// CHECK-NEXT:    %3 = array.and %2, %1 : tensor<i1>
// CHECK-NEXT:    %4 = array.constant dense<0> : tensor<i32>
// CHECK-NEXT:    %5 = array.constant dense<-1> : tensor<i32>
// CHECK-NEXT:    %6 = array.select %3, %4, %5
// CHECK-NEXT:    func.return %0, %6 : tensor<f64>, tensor<i32>
func.func @f(%x: tensor<f64>, %t: tensor<f64>) -> tensor<f64> {
  %0 = array.mul %x, %t : tensor<f64>
  func.return %0 : tensor<f64>
}

// CHECK: func.func private @holds
func.func @holds(%x: tensor<f64>) -> tensor<i1> {
  %zero = array.constant dense<0.0> : tensor<f64>
  %0 = array.compare gt %x, %zero : tensor<f64> -> tensor<i1>
  func.return %0 : tensor<i1>
}

// -----

// A condition that was mapped over lanes has to hold in all of them.

// CHECK-LABEL: func.func @f(%x: tensor<4xf64>) -> (tensor<4xf64>, tensor<i32>)
// CHECK:         %[[EACH:.*]] = func.call @holds(%x) : (tensor<4xf64>) -> tensor<4xi1>
// CHECK:         array.reduce and %[[EACH]] dims [0]
func.func @f(%x: tensor<4xf64>) -> tensor<4xf64> {
  func.return %x : tensor<4xf64>
}

func.func @holds(%x: tensor<4xf64>) -> tensor<4xi1> {
  %0 = array.compare eq %x, %x : tensor<4xf64> -> tensor<4xi1>
  func.return %0 : tensor<4xi1>
}

// -----

// What has effects runs only if the condition holds; also in functions that are called.

// CHECK-LABEL: func.func @f(%x: tensor<f64>) -> (tensor<f64>, tensor<i32>)
// CHECK-NEXT:    %[[HOLDS:.*]] = func.call @holds(%x)
// CHECK:         %[[ALL:.*]] = array.and
// CHECK-NEXT:    %[[RESULT:.*]] = array.case index(%[[ALL]]
// CHECK:           array.constant dense<0.000000e+00>
// CHECK:           array.callback
// CHECK:         array.select %[[ALL]]
// CHECK-NOT:     array.callback
// CHECK:         func.return %[[RESULT]]
func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %0 = func.call @prints(%x) : (tensor<f64>) -> tensor<f64>
  func.return %0 : tensor<f64>
}

func.func private @prints(%x: tensor<f64>) -> tensor<f64> {
  %0 = array.callback 0 : i64 "print" mapping "sequential" types [tensor<i32>] operands(%x : tensor<f64>) -> tensor<i32>
  func.return %x : tensor<f64>
}

func.func @holds(%x: tensor<f64>) -> tensor<i1> {
  %0 = array.compare eq %x, %x : tensor<f64> -> tensor<i1>
  func.return %0 : tensor<i1>
}
