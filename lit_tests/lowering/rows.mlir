// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// Softmax: within a row a nest for the largest element, one for the sum of the powers, which are
// kept on the stack, and one for the quotients.

// CHECK-LABEL: func.func @softmax
// CHECK:         %[[ROW:.*]] = memref.alloca() : memref<16xf64>
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK:             arith.maximumf
// CHECK:           vector.reduction <maximumf>
// CHECK:           scf.for
// CHECK:             %[[E:.*]] = math.exp
// CHECK-NEXT:        vector.store %[[E]], %[[ROW]]
// CHECK:           %[[S:.*]] = vector.reduction <add>, %{{.*}} fastmath<reassoc>
// CHECK:           scf.for
// CHECK:             vector.load %[[ROW]]
// CHECK-NOT:         math.exp
// CHECK:             arith.divf
func.func @softmax(%x: memref<4x16xf64>, %y: memref<4x16xf64>) {
  kernel.fusion ins(%a = %x : memref<4x16xf64>) outs(%y : memref<4x16xf64>) schedule<rows = [0], vector = 8> {
    %m = array.reduce max %a dims [1] : tensor<4x16xf64> -> tensor<4xf64>
    %mb = array.broadcast %m dims [0] : tensor<4xf64> -> tensor<4x16xf64>
    %d = array.sub %a, %mb : tensor<4x16xf64>
    %e = array.exp %d : tensor<4x16xf64>
    %s = array.reduce add %e dims [1] : tensor<4x16xf64> -> tensor<4xf64>
    %sb = array.broadcast %s dims [0] : tensor<4xf64> -> tensor<4x16xf64>
    %r = array.div %e, %sb : tensor<4x16xf64>
    kernel.yield %r : tensor<4x16xf64>
  }
  func.return
}

// -----

// A sum over rows starts at zero, and each row adds to it in memory.

// CHECK-LABEL: func.func @column_sums
// CHECK-SAME:    %{{.*}}: memref<4x8xf64>, %[[Y:.*]]: memref<8xf64>
// CHECK:         vector.store %{{.*}}, %[[Y]][%{{.*}}]
// CHECK:         scf.for
// CHECK:           %[[X:.*]] = vector.load
// CHECK:           %[[BEFORE:.*]] = vector.load %[[Y]]
// CHECK-NEXT:      %[[AFTER:.*]] = arith.addf %[[BEFORE]], %[[X]]
// CHECK-NEXT:      vector.store %[[AFTER]], %[[Y]]
func.func @column_sums(%x: memref<4x8xf64>, %y: memref<8xf64>) {
  kernel.fusion ins(%a = %x : memref<4x8xf64>) outs(%y : memref<8xf64>) schedule<rows = [0], vector = 8> {
    %s = array.reduce add %a dims [0] : tensor<4x8xf64> -> tensor<8xf64>
    kernel.yield %s : tensor<8xf64>
  }
  func.return
}

// -----

// Cheap values of an earlier nest are computed again rather than kept.

// CHECK-LABEL: func.func @recompute
// CHECK-NOT:     memref.alloca
// CHECK:         arith.mulf
// CHECK:         vector.reduction <add>
// CHECK:         arith.mulf
// CHECK:         arith.subf
func.func @recompute(%x: memref<8xf64>, %y: memref<8xf64>) {
  kernel.fusion ins(%a = %x : memref<8xf64>) outs(%y : memref<8xf64>) schedule<rows = [], vector = 8> {
    %q = array.mul %a, %a : tensor<8xf64>
    %s = array.reduce add %q dims [0] : tensor<8xf64> -> tensor<f64>
    %b = array.broadcast %s dims [] : tensor<f64> -> tensor<8xf64>
    %r = array.sub %q, %b : tensor<8xf64>
    kernel.yield %r : tensor<8xf64>
  }
  func.return
}

// -----

// Each part of a concatenation is read only where it is.

// CHECK-LABEL: func.func @concatenate
// CHECK:         %[[FIRST:.*]] = kernel.compare "ult" %{{.*}}, %{{.*}} : vector<4xi64> -> vector<4xi1>
// CHECK:         vector.maskedload %x[%{{.*}}], %[[FIRST]], %{{.*}}
// CHECK:         %[[OTHER:.*]] = arith.xori %[[FIRST]], %{{.*}} : vector<4xi1>
// CHECK:         vector.maskedload %y[%{{.*}}], %[[OTHER]], %{{.*}}
func.func @concatenate(%x: memref<2xf64>, %y: memref<2xf64>, %z: memref<4xf64>) {
  kernel.fusion ins(%a = %x : memref<2xf64>, %b = %y : memref<2xf64>) outs(%z : memref<4xf64>) schedule<rows = [], vector = 4> {
    %c = array.concatenate %a, %b dim 0 : tensor<2xf64>, tensor<2xf64> -> tensor<4xf64>
    kernel.yield %c : tensor<4xf64>
  }
  func.return
}

// -----

// Three reductions in a nest: two vectors a step, not four, lest accumulators spill.

// CHECK-LABEL: func.func @three_reductions
// CHECK:         scf.for %{{.*}} step {{.*}} iter_args
// CHECK-COUNT-2:   vector.load
// CHECK-NOT:       vector.load
// CHECK:           scf.yield
func.func @three_reductions(%x: memref<64xf64>, %y: memref<f64>, %z: memref<f64>, %w: memref<f64>) {
  kernel.fusion ins(%a = %x : memref<64xf64>) outs(%y : memref<f64>, %z : memref<f64>, %w : memref<f64>) schedule<rows = [], vector = 4, unroll = 4> {
    %s = array.reduce add %a dims [0] : tensor<64xf64> -> tensor<f64>
    %t = array.reduce max %a dims [0] : tensor<64xf64> -> tensor<f64>
    %u = array.reduce min %a dims [0] : tensor<64xf64> -> tensor<f64>
    kernel.yield %s, %t, %u : tensor<f64>, tensor<f64>, tensor<f64>
  }
  func.return
}
