// RUN: gradatim-opt %s -p "array-fuse{vector-bits=256}" | filecheck %s

// Regions are made of kernels as functions are. What is small is computed in registers, written out.
func.func @scalars(%x: tensor<f64>, %v: tensor<f64>) -> (tensor<f64>, tensor<10xf64>) {
  %xs, %vs, %ys = array.scan length 10 carries(%x, %v : tensor<f64>, tensor<f64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %b: tensor<f64>):
    %c = array.constant dense<0.1> : tensor<f64>
    %d = array.mul %b, %c : tensor<f64>
    %e = array.add %a, %d : tensor<f64>
    %f = array.sin %e : tensor<f64>
    %g = array.sub %b, %f : tensor<f64>
    array.yield %e, %g, %f : tensor<f64>, tensor<f64>, tensor<f64>
  }
  func.return %xs, %ys : tensor<f64>, tensor<10xf64>
}
// CHECK-LABEL: func.func @scalars
// CHECK-NEXT: array.scan length 10 carries(%x, %v : tensor<f64>, tensor<f64>) {
// CHECK-NEXT: ^bb0(%i: tensor<i64>, %a: tensor<f64>, %b: tensor<f64>):
// CHECK-NEXT:   %e, %f, %g = kernel.fusion ins(%b_1 = %b : tensor<f64>, %a_1 = %a : tensor<f64>) schedule<rows = [], vector = 8, registers = true> {
// CHECK:          kernel.yield %e_1, %f_1, %g_1
// CHECK:        array.yield %e, %g, %f

// A part of a large array is read in registers; a loop over a large one takes a number from them.
func.func @mixed(%x: tensor<1000xf64>) -> tensor<1000xf64> {
  %y = array.scan length 10 carries(%x : tensor<1000xf64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<1000xf64>):
    %s = array.slice %a starts [0] limits [1] strides [1] : tensor<1000xf64> -> tensor<1xf64>
    %t = array.reshape %s : tensor<1xf64> -> tensor<f64>
    %u = array.exp %t : tensor<f64>
    %b = array.broadcast %u dims [] : tensor<f64> -> tensor<1000xf64>
    %c = array.mul %a, %b : tensor<1000xf64>
    array.yield %c : tensor<1000xf64>
  }
  func.return %y : tensor<1000xf64>
}
// CHECK-LABEL: func.func @mixed
// CHECK:        %u = kernel.fusion ins(%a_1 = %a : tensor<1000xf64>) schedule<{{.*}}registers = true> {
// CHECK-NEXT:     array.slice %a_1
// CHECK:        %c = kernel.fusion ins(%a_1 = %a : tensor<1000xf64>, %u_1 = %u : tensor<f64>) schedule<rows = [], vector = 4> {

// What is small but between a reduction and its use stays in the loop over rows.
func.func @between(%x: tensor<32x1000xf32>) -> tensor<32x1000xf32> {
  %y = array.scan length 10 carries(%x : tensor<32x1000xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<32x1000xf32>):
    %s = array.reduce add %a dims [1] : tensor<32x1000xf32> -> tensor<32xf32>
    %t = array.neg %s : tensor<32xf32>
    %b = array.broadcast %t dims [0] : tensor<32xf32> -> tensor<32x1000xf32>
    %c = array.add %a, %b : tensor<32x1000xf32>
    array.yield %c : tensor<32x1000xf32>
  }
  func.return %y : tensor<32x1000xf32>
}
// CHECK-LABEL: func.func @between
// CHECK:        kernel.fusion {{.*}} schedule<rows = [0], vector = 8, unroll = 4> {
// CHECK-NEXT:     array.reduce
// CHECK-NEXT:     array.neg
// CHECK-NOT:    kernel.fusion
// CHECK:      func.return

// Steps that carry nothing run on several threads if they take long, and what is in them on one.
func.func @map(%x: tensor<64x10000xf32>) -> tensor<64x10000xf32> {
  %y = array.scan length 64 elements(%x : tensor<64x10000xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<10000xf32>):
    %s = array.sin %a : tensor<10000xf32>
    array.yield %s : tensor<10000xf32>
  }
  func.return %y : tensor<64x10000xf32>
}
// CHECK-LABEL: func.func @map
// CHECK-NEXT:   array.scan length 64 elements(%x : tensor<64x10000xf32>) attributes {kernel.parallel = 1 : i64} {
// CHECK:          kernel.fusion ins(%a_1 = %a : tensor<10000xf32>) schedule<rows = [], vector = 8> {

// A table that is read at a computed position stays in memory.
func.func @table(%x: tensor<10xi64>) -> tensor<f64> {
  %zero = array.constant dense<0.0> : tensor<f64>
  %s = array.scan length 10 carries(%zero : tensor<f64>) elements(%x : tensor<10xi64>) {
  ^bb0(%i: tensor<i64>, %a: tensor<f64>, %k: tensor<i64>):
    %c = array.constant dense<[1.0, 3.0, 2.0]> : tensor<3xf64>
    %w = array.dynamic_slice %c[%k] : tensor<3xf64> -> tensor<1xf64>
    %r = array.reshape %w : tensor<1xf64> -> tensor<f64>
    %b = array.add %a, %r : tensor<f64>
    array.yield %b : tensor<f64>
  }
  func.return %s : tensor<f64>
}
// CHECK-LABEL: func.func @table
// CHECK:        %c = array.constant dense<[1.000000e+00, 3.000000e+00, 2.000000e+00]> : tensor<3xf64>
// CHECK-NEXT:   %b = kernel.fusion ins(%a_1 = %a : tensor<f64>, %c_1 = %c : tensor<3xf64>, %k_1 = %k : tensor<i64>) schedule<{{.*}}registers = true> {
// CHECK-NEXT:     array.dynamic_slice %c_1[%k_1]
