// RUN: gradatim-opt %s -p array-split-short --split-input-file | filecheck %s

// A sum over components is additions; what is broadcast along them is the same for all.

// CHECK-LABEL: func.func @pairs
// CHECK-NEXT:    %[[S0:.*]] = array.slice %x starts [0, 0] limits [100, 1] strides [1, 1]
// CHECK-NEXT:    %[[X0:.*]] = array.reshape %[[S0]] : tensor<100x1xf64> -> tensor<100xf64>
// CHECK-NEXT:    %[[S1:.*]] = array.slice %x starts [0, 1] limits [100, 2] strides [1, 1]
// CHECK-NEXT:    %[[X1:.*]] = array.reshape %[[S1]] : tensor<100x1xf64> -> tensor<100xf64>
// CHECK-NEXT:    %[[A0:.*]] = array.broadcast %[[X0]] dims [1] : tensor<100xf64> -> tensor<50x100xf64>
// CHECK-NEXT:    %[[A1:.*]] = array.broadcast %[[X1]] dims [1] : tensor<100xf64> -> tensor<50x100xf64>
// CHECK-NEXT:    %[[W:.*]] = array.broadcast %w dims [0] : tensor<50xf64> -> tensor<50x100xf64>
// CHECK-NEXT:    %[[P0:.*]] = array.mul %[[A0]], %[[W]]
// CHECK-NEXT:    %[[P1:.*]] = array.mul %[[A1]], %[[W]]
// CHECK-NEXT:    %[[R:.*]] = array.add %[[P0]], %[[P1]]
// CHECK-NEXT:    func.return %[[R]]
func.func @pairs(%x: tensor<100x2xf64>, %w: tensor<50xf64>) -> tensor<50x100xf64> {
  %a = array.broadcast %x dims [1, 2] : tensor<100x2xf64> -> tensor<50x100x2xf64>
  %b = array.broadcast %w dims [0] : tensor<50xf64> -> tensor<50x100x2xf64>
  %p = array.mul %a, %b : tensor<50x100x2xf64>
  %r = array.reduce add %p dims [2] : tensor<50x100x2xf64> -> tensor<50x100xf64>
  func.return %r : tensor<50x100xf64>
}

// -----

// A reduction over other dimensions gives components, which are joined.

// CHECK-LABEL: func.func @other_dimension
// CHECK:         %[[R0:.*]] = array.reduce max %{{.*}} dims [1] : tensor<50x100xf64> -> tensor<50xf64>
// CHECK-NEXT:    %[[R1:.*]] = array.reduce max %{{.*}} dims [1] : tensor<50x100xf64> -> tensor<50xf64>
// CHECK-NEXT:    %[[C0:.*]] = array.reshape %[[R0]] : tensor<50xf64> -> tensor<50x1xf64>
// CHECK-NEXT:    %[[C1:.*]] = array.reshape %[[R1]] : tensor<50xf64> -> tensor<50x1xf64>
// CHECK-NEXT:    %[[R:.*]] = array.concatenate %[[C0]], %[[C1]] dim 1
// CHECK-NEXT:    func.return %[[R]]
func.func @other_dimension(%x: tensor<100x2xf64>) -> tensor<50x2xf64> {
  %a = array.broadcast %x dims [1, 2] : tensor<100x2xf64> -> tensor<50x100x2xf64>
  %b = array.sin %a : tensor<50x100x2xf64>
  %r = array.reduce max %b dims [1] : tensor<50x100x2xf64> -> tensor<50x2xf64>
  func.return %r : tensor<50x2xf64>
}

// -----

// The dimension before may be short too.

// CHECK-LABEL: func.func @twice
// CHECK-NOT:     x2xf64>
// CHECK-COUNT-4: array.mul %{{.*}} : tensor<100xf64>
// CHECK-NOT:     array.mul
// CHECK:         func.return
func.func @twice(%x: tensor<100xf64>) -> tensor<100xf64> {
  %a = array.broadcast %x dims [0] : tensor<100xf64> -> tensor<100x2x2xf64>
  %i = array.iota dim 1 : tensor<100x2x2xf64>
  %j = array.iota dim 2 : tensor<100x2x2xf64>
  %k = array.add %i, %j : tensor<100x2x2xf64>
  %b = array.mul %a, %k : tensor<100x2x2xf64>
  %r = array.reduce add %b dims [1, 2] : tensor<100x2x2xf64> -> tensor<100xf64>
  func.return %r : tensor<100xf64>
}

// -----

// In loops as well.

// CHECK-LABEL: func.func @loop
// CHECK:         array.scan
// CHECK-NOT:     tensor<50x100x2xf64>
// CHECK:         array.yield
func.func @loop(%x: tensor<100x2xf64>) -> tensor<50x100xf64> {
  %zero = array.constant dense<0.0> : tensor<50x100xf64>
  %s = array.scan length 3 consts(%x : tensor<100x2xf64>) carries(%zero : tensor<50x100xf64>) {
  ^bb0(%i: tensor<i64>, %y: tensor<100x2xf64>, %t: tensor<50x100xf64>):
    %a = array.broadcast %y dims [1, 2] : tensor<100x2xf64> -> tensor<50x100x2xf64>
    %b = array.sin %a : tensor<50x100x2xf64>
    %r = array.reduce add %b dims [2] : tensor<50x100x2xf64> -> tensor<50x100xf64>
    %u = array.add %t, %r : tensor<50x100xf64>
    array.yield %u : tensor<50x100xf64>
  }
  func.return %s : tensor<50x100xf64>
}

// -----

// Nothing keeps these dimensions from being one loop.

// CHECK-LABEL: func.func @elementwise
// CHECK-NEXT:    array.sin %x : tensor<100x2xf64>
// CHECK-NEXT:    func.return
func.func @elementwise(%x: tensor<100x2xf64>) -> tensor<100x2xf64> {
  %a = array.sin %x : tensor<100x2xf64>
  func.return %a : tensor<100x2xf64>
}

// -----

// A long dimension makes good vectors, and few rows make none.

// CHECK-LABEL: func.func @long
// CHECK-NEXT:    array.broadcast
// CHECK-NEXT:    array.reduce
func.func @long(%x: tensor<100x9xf64>) -> tensor<50x100xf64> {
  %a = array.broadcast %x dims [1, 2] : tensor<100x9xf64> -> tensor<50x100x9xf64>
  %r = array.reduce add %a dims [2] : tensor<50x100x9xf64> -> tensor<50x100xf64>
  func.return %r : tensor<50x100xf64>
}

// CHECK-LABEL: func.func @few
// CHECK-NEXT:    array.broadcast
// CHECK-NEXT:    array.reduce
func.func @few(%x: tensor<7x2xf64>) -> tensor<5x7xf64> {
  %a = array.broadcast %x dims [1, 2] : tensor<7x2xf64> -> tensor<5x7x2xf64>
  %r = array.reduce add %a dims [2] : tensor<5x7x2xf64> -> tensor<5x7xf64>
  func.return %r : tensor<5x7xf64>
}

// -----

// What is in memory is taken apart and joined if enough is computed in between.

// CHECK-LABEL: func.func @enough_work
// CHECK-COUNT-2: array.slice %x
// CHECK-NOT:     array.slice
// CHECK-COUNT-2: array.div %{{.*}} : tensor<100xf64>
// CHECK:         %[[R:.*]] = array.concatenate
// CHECK-NEXT:    func.return %[[R]]
func.func @enough_work(%x: tensor<100x2xf64>) -> tensor<100x2xf64> {
  %p = array.mul %x, %x : tensor<100x2xf64>
  %s = array.reduce add %p dims [1] : tensor<100x2xf64> -> tensor<100xf64>
  %b = array.broadcast %s dims [0] : tensor<100xf64> -> tensor<100x2xf64>
  %r = array.div %x, %b : tensor<100x2xf64>
  func.return %r : tensor<100x2xf64>
}

// CHECK-LABEL: func.func @little_work
// CHECK-NEXT:    array.broadcast
// CHECK-NEXT:    array.mul
// CHECK-NEXT:    func.return
func.func @little_work(%x: tensor<100x2xf64>, %s: tensor<100xf64>) -> tensor<100x2xf64> {
  %b = array.broadcast %s dims [0] : tensor<100xf64> -> tensor<100x2xf64>
  %r = array.mul %x, %b : tensor<100x2xf64>
  func.return %r : tensor<100x2xf64>
}

// Rows of eight elements fill vectors anyway.

// CHECK-LABEL: func.func @eight
// CHECK-NOT:     array.slice
// CHECK:         func.return
func.func @eight(%x: tensor<100x8xf64>) -> tensor<100x8xf64> {
  %p = array.mul %x, %x : tensor<100x8xf64>
  %s = array.reduce add %p dims [1] : tensor<100x8xf64> -> tensor<100xf64>
  %b = array.broadcast %s dims [0] : tensor<100xf64> -> tensor<100x8xf64>
  %r = array.div %x, %b : tensor<100x8xf64>
  func.return %r : tensor<100x8xf64>
}

// A part of no components is an array of no elements.

// CHECK-LABEL: func.func @empty_part
// CHECK:         %[[B:.*]] = array.constant dense<> : tensor<70x0xf64>
// CHECK:         func.return %[[B]],
func.func @empty_part(%x: tensor<70x3xf64>) -> (tensor<70x0xf64>, tensor<70xf64>) {
  %a = array.exp %x : tensor<70x3xf64>
  %b = array.slice %a starts [0, 2] limits [70, 2] strides [1, 1] : tensor<70x3xf64> -> tensor<70x0xf64>
  %c = array.reduce add %a dims [1] : tensor<70x3xf64> -> tensor<70xf64>
  func.return %b, %c : tensor<70x0xf64>, tensor<70xf64>
}

// What is also needed as a whole is joined; reductions are computed from its components.

// CHECK-LABEL: func.func @needed_whole
// CHECK:         %[[W:.*]] = array.concatenate
// CHECK:         array.add {{.*}} : tensor<70xf64>
// CHECK-NEXT:    array.add {{.*}} : tensor<70xf64>
// CHECK-NEXT:    array.cumulative add %[[W]]
func.func @needed_whole(%x: tensor<70xf64>) -> (tensor<70xf64>, tensor<70x3xf64>) {
  %w = array.broadcast %x dims [0] : tensor<70xf64> -> tensor<70x3xf64>
  %s = array.reduce add %w dims [1] : tensor<70x3xf64> -> tensor<70xf64>
  %c = array.cumulative add %w dim 0 : tensor<70x3xf64>
  func.return %s, %c : tensor<70xf64>, tensor<70x3xf64>
}
