// RUN: gradatim-opt %s -p 'array-vmap{size=3 axis-name=i}' | filecheck %s
// RUN: gradatim-opt %s -p 'array-vmap{size=3 axis-name=j}' | filecheck %s --check-prefix=OTHER
// RUN: gradatim-opt %s -p array-vjp | filecheck %s --check-prefix=VJP
// RUN: gradatim-opt %s --print-op-generic | gradatim-opt | filecheck %s --check-prefix=TEXT

// A collective is a reduction over the batch of its name; other batches do not concern it.
func.func @f(%x: tensor<f64>) -> (tensor<f64>, tensor<i64>) {
  %s = array.lane_reduce add %x axis "i" : tensor<f64>
  %k = array.lane_index axis "i" : tensor<i64>
  func.return %s, %k : tensor<f64>, tensor<i64>
}
// CHECK:      %s = array.reduce add %x dims [0] : tensor<3xf64> -> tensor<f64>
// CHECK-NEXT: %k = array.iota dim 0 : tensor<3xi64>

// OTHER:      %s = array.lane_reduce add %x axis "i" : tensor<3xf64>
// OTHER-NEXT: %k = array.lane_index axis "i" : tensor<i64>

// VJP:        %s = array.lane_reduce add %x axis "i" : tensor<f64>
// VJP:        %{{.*}} = array.lane_reduce add %cotangent axis "i" : tensor<f64>

// TEXT:       %s = array.lane_reduce add %x axis "i" : tensor<f64>
// TEXT-NEXT:  %k = array.lane_index axis "i" : tensor<i64>
