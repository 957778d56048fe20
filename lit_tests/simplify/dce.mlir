// RUN: gradatim-opt %s -p array-dce | filecheck %s

func.func private @callee(%x: tensor<f64>) -> tensor<f64> {
  func.return %x : tensor<f64>
}

// A chain of dead ops goes, what is used stays, and so does a call, whatever it does.

func.func @f(%x: tensor<f64>, %unused: tensor<f64>) -> tensor<f64> {
  %a = array.sin %x : tensor<f64>
  %b = array.exp %a : tensor<f64>
  %c = array.mul %b, %a : tensor<f64>
  %d = func.call @callee(%x) : (tensor<f64>) -> tensor<f64>
  %e = array.cos %x : tensor<f64>
  func.return %e : tensor<f64>
}

// CHECK-LABEL: func.func @f
// CHECK-SAME:    (%x: tensor<f64>, %unused: tensor<f64>)
// CHECK-NEXT:    %d = func.call @callee(%x)
// CHECK-NEXT:    %e = array.cos %x
// CHECK-NEXT:    func.return %e
