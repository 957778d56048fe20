// RUN: gradatim-opt %s -p array-canonicalize --split-input-file | filecheck %s

// Known positions, moved inside.

func.func @known(%x: tensor<5x8xf64>, %u: tensor<1x4xf64>, %i: tensor<i64>) -> (tensor<2x4xf64>, tensor<5x8xf64>, tensor<5x8xf64>) {
  %one = array.constant dense<1> : tensor<i64>
  %nine = array.constant dense<9> : tensor<i64>
  %a = array.dynamic_slice %x[%one, %nine] : tensor<5x8xf64> -> tensor<2x4xf64>
  %b = array.dynamic_update_slice %x[%one, %nine], %u : tensor<5x8xf64>, tensor<1x4xf64>
  %zero = array.constant dense<0.0> : tensor<5x8xf64>
  %c = array.dynamic_update_slice %zero[%one, %one], %u : tensor<5x8xf64>, tensor<1x4xf64>
  func.return %a, %b, %c : tensor<2x4xf64>, tensor<5x8xf64>, tensor<5x8xf64>
}

// CHECK-LABEL: func.func @known(%x: tensor<5x8xf64>, %u: tensor<1x4xf64>, %i: tensor<i64>) -> (tensor<2x4xf64>, tensor<5x8xf64>, tensor<5x8xf64>)
// CHECK-NEXT:    %one = array.constant dense<1> : tensor<i64>
// CHECK-NEXT:    %0 = array.constant dense<4> : tensor<i64>
// CHECK-NEXT:    %a = array.slice %x starts [1, 4] limits [3, 8] strides [1, 1] : tensor<5x8xf64> -> tensor<2x4xf64>
// CHECK-NEXT:    %b = array.dynamic_update_slice %x[%one, %0], %u : tensor<5x8xf64>, tensor<1x4xf64>
// CHECK-NEXT:    %1 = array.constant dense<0.000000e+00> : tensor<f64>
// CHECK-NEXT:    %c = array.pad %u, %1 low [1, 1] high [3, 3] interior [0, 0] : tensor<1x4xf64>, tensor<f64> -> tensor<5x8xf64>
// CHECK-NEXT:    func.return %a, %b, %c : tensor<2x4xf64>, tensor<5x8xf64>, tensor<5x8xf64>

// -----

// Windows as large as the array are at 0.

func.func @whole(%x: tensor<5x8xf64>, %u: tensor<5x8xf64>, %i: tensor<i64>) -> (tensor<5x8xf64>, tensor<1x8xf64>, tensor<5x8xf64>) {
  %a = array.dynamic_slice %x[%i, %i] : tensor<5x8xf64> -> tensor<5x8xf64>
  %b = array.dynamic_slice %x[%i, %i] : tensor<5x8xf64> -> tensor<1x8xf64>
  %c = array.dynamic_update_slice %x[%i, %i], %u : tensor<5x8xf64>, tensor<5x8xf64>
  func.return %a, %b, %c : tensor<5x8xf64>, tensor<1x8xf64>, tensor<5x8xf64>
}

// CHECK-LABEL: func.func @whole(%x: tensor<5x8xf64>, %u: tensor<5x8xf64>, %i: tensor<i64>) -> (tensor<5x8xf64>, tensor<1x8xf64>, tensor<5x8xf64>)
// CHECK-NEXT:    %0 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %b = array.dynamic_slice %x[%i, %0] : tensor<5x8xf64> -> tensor<1x8xf64>
// CHECK-NEXT:    func.return %x, %b, %u : tensor<5x8xf64>, tensor<1x8xf64>, tensor<5x8xf64>

// -----

// What was just written is read, and what is written twice the last time only.

func.func @again(%x: tensor<9xf64>, %u: tensor<2xf64>, %v: tensor<2xf64>, %i: tensor<i64>) -> (tensor<2xf64>, tensor<9xf64>) {
  %a = array.dynamic_update_slice %x[%i], %u : tensor<9xf64>, tensor<2xf64>
  %b = array.dynamic_slice %a[%i] : tensor<9xf64> -> tensor<2xf64>
  %c = array.dynamic_update_slice %a[%i], %v : tensor<9xf64>, tensor<2xf64>
  func.return %b, %c : tensor<2xf64>, tensor<9xf64>
}

// CHECK-LABEL: func.func @again(%x: tensor<9xf64>, %u: tensor<2xf64>, %v: tensor<2xf64>, %i: tensor<i64>) -> (tensor<2xf64>, tensor<9xf64>)
// CHECK-NEXT:    %c = array.dynamic_update_slice %x[%i], %v : tensor<9xf64>, tensor<2xf64>
// CHECK-NEXT:    func.return %u, %c : tensor<2xf64>, tensor<9xf64>

// -----

// Parts of what is repeated, counted or the same throughout.

func.func @sources(%x: tensor<3xf64>, %i: tensor<i64>, %k: tensor<4xi64>) -> (tensor<2x3xf64>, tensor<2xi64>, tensor<2xf64>, tensor<4xi64>, tensor<4xf64>) {
  %w = array.broadcast %x dims [1] : tensor<3xf64> -> tensor<8x3xf64>
  %a = array.dynamic_slice %w[%i, %i] : tensor<8x3xf64> -> tensor<2x3xf64>
  %n = array.iota dim 0 : tensor<9xi64>
  %b = array.dynamic_slice %n[%i] : tensor<9xi64> -> tensor<2xi64>
  %s = array.constant dense<7.0> : tensor<9xf64>
  %c = array.dynamic_slice %s[%i] : tensor<9xf64> -> tensor<2xf64>
  %d = array.gather %n[%k] dims [0] : tensor<9xi64>, tensor<4xi64> -> tensor<4xi64>
  %e = array.gather %s[%k] dims [0] : tensor<9xf64>, tensor<4xi64> -> tensor<4xf64>
  func.return %a, %b, %c, %d, %e : tensor<2x3xf64>, tensor<2xi64>, tensor<2xf64>, tensor<4xi64>, tensor<4xf64>
}

// CHECK-LABEL: func.func @sources(%x: tensor<3xf64>, %i: tensor<i64>, %k: tensor<4xi64>) -> (tensor<2x3xf64>, tensor<2xi64>, tensor<2xf64>, tensor<4xi64>, tensor<4xf64>)
// CHECK-NEXT:    %0 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %a = array.broadcast %x dims [1] : tensor<3xf64> -> tensor<2x3xf64>
// CHECK-NEXT:    %1 = array.constant dense<7> : tensor<i64>
// CHECK-NEXT:    %2 = array.clamp %0, %i, %1 : tensor<i64>
// CHECK-NEXT:    %3 = array.iota dim 0 : tensor<2xi64>
// CHECK-NEXT:    %4 = array.broadcast %2 dims [] : tensor<i64> -> tensor<2xi64>
// CHECK-NEXT:    %b = array.add %3, %4 : tensor<2xi64>
// CHECK-NEXT:    %c = array.constant dense<7.000000e+00> : tensor<2xf64>
// CHECK-NEXT:    %5 = array.constant dense<0> : tensor<4xi64>
// CHECK-NEXT:    %6 = array.constant dense<8> : tensor<4xi64>
// CHECK-NEXT:    %d = array.clamp %5, %k, %6 : tensor<4xi64>
// CHECK-NEXT:    %e = array.constant dense<7.000000e+00> : tensor<4xf64>
// CHECK-NEXT:    func.return %a, %b, %c, %d, %e : tensor<2x3xf64>, tensor<2xi64>, tensor<2xf64>, tensor<4xi64>, tensor<4xf64>

// -----

// Equally spaced positions, one position, and one that is the same for all.

func.func @gathers(%x: tensor<9x4xf64>, %i: tensor<1xi64>, %k: tensor<3xi64>) -> (tensor<3x4xf64>, tensor<3x4xf64>, tensor<1x4xf64>, tensor<3xf64>) {
  %up = array.constant dense<[1, 4, 7]> : tensor<3xi64>
  %a = array.gather %x[%up] dims [0] : tensor<9x4xf64>, tensor<3xi64> -> tensor<3x4xf64>
  %down = array.constant dense<[3, 2, 1]> : tensor<3xi64>
  %b = array.gather %x[%down] dims [0] : tensor<9x4xf64>, tensor<3xi64> -> tensor<3x4xf64>
  %c = array.gather %x[%i] dims [0] : tensor<9x4xf64>, tensor<1xi64> -> tensor<1x4xf64>
  %two = array.constant dense<2> : tensor<3xi64>
  %d = array.gather %x[%k, %two] dims [0, 1] : tensor<9x4xf64>, tensor<3xi64>, tensor<3xi64> -> tensor<3xf64>
  func.return %a, %b, %c, %d : tensor<3x4xf64>, tensor<3x4xf64>, tensor<1x4xf64>, tensor<3xf64>
}

// CHECK-LABEL: func.func @gathers(%x: tensor<9x4xf64>, %i: tensor<1xi64>, %k: tensor<3xi64>) -> (tensor<3x4xf64>, tensor<3x4xf64>, tensor<1x4xf64>, tensor<3xf64>)
// CHECK-NEXT:    %a = array.slice %x starts [1, 0] limits [8, 4] strides [3, 1] : tensor<9x4xf64> -> tensor<3x4xf64>
// CHECK-NEXT:    %0 = array.slice %x starts [1, 0] limits [4, 4] strides [1, 1] : tensor<9x4xf64> -> tensor<3x4xf64>
// CHECK-NEXT:    %b = array.reverse %0 dims [0] : tensor<3x4xf64>
// CHECK-NEXT:    %1 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %2 = array.reshape %i : tensor<1xi64> -> tensor<i64>
// CHECK-NEXT:    %c = array.dynamic_slice %x[%2, %1] : tensor<9x4xf64> -> tensor<1x4xf64>
// CHECK-NEXT:    %3 = array.slice %x starts [0, 2] limits [9, 3] strides [1, 1] : tensor<9x4xf64> -> tensor<9x1xf64>
// CHECK-NEXT:    %4 = array.reshape %3 : tensor<9x1xf64> -> tensor<9xf64>
// CHECK-NEXT:    %d = array.gather %4[%k] dims [0] : tensor<9xf64>, tensor<3xi64> -> tensor<3xf64>
// CHECK-NEXT:    func.return %a, %b, %c, %d : tensor<3x4xf64>, tensor<3x4xf64>, tensor<1x4xf64>, tensor<3xf64>

// -----

// An update of one position in range is a window; known positions may be distinct.

func.func @scatters(%x: tensor<9xf64>, %u: tensor<f64>, %v: tensor<3xf64>, %i: tensor<i64>) -> (tensor<9xf64>, tensor<9xf64>, tensor<9xf64>) {
  %0 = array.constant dense<0> : tensor<i64>
  %8 = array.constant dense<8> : tensor<i64>
  %inside = array.clamp %0, %i, %8 : tensor<i64>
  %a = array.scatter add %x[%inside], %u dims [0] : tensor<9xf64>, tensor<f64>, tensor<i64>
  %b = array.scatter add %x[%i], %u dims [0] : tensor<9xf64>, tensor<f64>, tensor<i64>
  %k = array.constant dense<[5, 1, 2]> : tensor<3xi64>
  %c = array.scatter set %x[%k], %v dims [0] : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
  func.return %a, %b, %c : tensor<9xf64>, tensor<9xf64>, tensor<9xf64>
}

// CHECK-LABEL: func.func @scatters(%x: tensor<9xf64>, %u: tensor<f64>, %v: tensor<3xf64>, %i: tensor<i64>) -> (tensor<9xf64>, tensor<9xf64>, tensor<9xf64>)
// CHECK-NEXT:    %0 = array.constant dense<0> : tensor<i64>
// CHECK-NEXT:    %1 = array.constant dense<8> : tensor<i64>
// CHECK-NEXT:    %inside = array.clamp %0, %i, %1 : tensor<i64>
// CHECK-NEXT:    %2 = array.reshape %u : tensor<f64> -> tensor<1xf64>
// CHECK-NEXT:    %3 = array.dynamic_slice %x[%inside] : tensor<9xf64> -> tensor<1xf64>
// CHECK-NEXT:    %4 = array.add %3, %2 : tensor<1xf64>
// CHECK-NEXT:    %a = array.dynamic_update_slice %x[%inside], %4 : tensor<9xf64>, tensor<1xf64>
// CHECK-NEXT:    %b = array.scatter add %x[%i], %u dims [0] unique : tensor<9xf64>, tensor<f64>, tensor<i64>
// CHECK-NEXT:    %k = array.constant dense<[5, 1, 2]> : tensor<3xi64>
// CHECK-NEXT:    %c = array.scatter set %x[%k], %v dims [0] unique : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
// CHECK-NEXT:    func.return %a, %b, %c : tensor<9xf64>, tensor<9xf64>, tensor<9xf64>

// -----

// What counts, and remainders, are in a known range.

func.func @ranges(%n: tensor<4xi64>) -> (tensor<4xi1>, tensor<4xi64>, tensor<4xi64>) {
  %i = array.iota dim 0 : tensor<4xi64>
  %zero = array.constant dense<0> : tensor<4xi64>
  %four = array.constant dense<4> : tensor<4xi64>
  %a = array.compare lt %i, %zero : tensor<4xi64> -> tensor<4xi1>
  %t = array.add %i, %four : tensor<4xi64>
  %b = array.select %a, %t, %i : tensor<4xi1>, tensor<4xi64>
  %r = array.rem %n, %four : tensor<4xi64>
  %m = array.constant dense<-3> : tensor<4xi64>
  %c = array.clamp %m, %r, %four : tensor<4xi64>
  func.return %a, %b, %c : tensor<4xi1>, tensor<4xi64>, tensor<4xi64>
}

// CHECK-LABEL: func.func @ranges(%n: tensor<4xi64>) -> (tensor<4xi1>, tensor<4xi64>, tensor<4xi64>)
// CHECK-NEXT:    %i = array.iota dim 0 : tensor<4xi64>
// CHECK-NEXT:    %four = array.constant dense<4> : tensor<4xi64>
// CHECK-NEXT:    %a = array.constant dense<false> : tensor<4xi1>
// CHECK-NEXT:    %r = array.rem %n, %four : tensor<4xi64>
// CHECK-NEXT:    func.return %a, %i, %r : tensor<4xi1>, tensor<4xi64>, tensor<4xi64>

// -----

// What is added to zeros is added to the array itself: exact for integers.

func.func @sums(%x: tensor<9xi32>, %u: tensor<2xi32>, %k: tensor<2xi64>, %i: tensor<i64>) -> (tensor<9xi32>, tensor<9xi32>) {
  %zeros = array.constant dense<0> : tensor<9xi32>
  %a = array.dynamic_update_slice %zeros[%i], %u : tensor<9xi32>, tensor<2xi32>
  %b = array.add %a, %x : tensor<9xi32>
  %c = array.scatter add %zeros[%k], %u dims [0] : tensor<9xi32>, tensor<2xi32>, tensor<2xi64>
  %d = array.add %x, %c : tensor<9xi32>
  func.return %b, %d : tensor<9xi32>, tensor<9xi32>
}

// CHECK-LABEL: func.func @sums(%x: tensor<9xi32>, %u: tensor<2xi32>, %k: tensor<2xi64>, %i: tensor<i64>) -> (tensor<9xi32>, tensor<9xi32>)
// CHECK-NEXT:    %0 = array.dynamic_slice %x[%i] : tensor<9xi32> -> tensor<2xi32>
// CHECK-NEXT:    %1 = array.add %0, %u : tensor<2xi32>
// CHECK-NEXT:    %b = array.dynamic_update_slice %x[%i], %1 : tensor<9xi32>, tensor<2xi32>
// CHECK-NEXT:    %d = array.scatter add %x[%k], %u dims [0] : tensor<9xi32>, tensor<2xi32>, tensor<2xi64>
// CHECK-NEXT:    func.return %b, %d : tensor<9xi32>, tensor<9xi32>

// -----

// Floats may be negative zeros.

func.func @floats(%x: tensor<9xf64>, %u: tensor<2xf64>, %i: tensor<i64>) -> tensor<9xf64> {
  %zeros = array.constant dense<0.0> : tensor<9xf64>
  %a = array.dynamic_update_slice %zeros[%i], %u : tensor<9xf64>, tensor<2xf64>
  %b = array.add %a, %x : tensor<9xf64>
  func.return %b : tensor<9xf64>
}

// CHECK-LABEL: func.func @floats(%x: tensor<9xf64>, %u: tensor<2xf64>, %i: tensor<i64>) -> tensor<9xf64>
// CHECK-NEXT:    %zeros = array.constant dense<0.000000e+00> : tensor<9xf64>
// CHECK-NEXT:    %a = array.dynamic_update_slice %zeros[%i], %u : tensor<9xf64>, tensor<2xf64>
// CHECK-NEXT:    %b = array.add %a, %x : tensor<9xf64>
// CHECK-NEXT:    func.return %b : tensor<9xf64>
