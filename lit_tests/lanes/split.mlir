// RUN: gradatim-opt %s -p array-fuse{vector-bits=512},kernel-bufferize,kernel-split-lanes --split-input-file | filecheck %s

// The rows of what is carried never meet: chunks of eight take all steps on their own. The weights
// are read as a whole, and of what is stacked each step's part has the rows of the chunk.
func.func @recurrent(%w: tensor<64x64xf32>, %b: tensor<64xf32>, %h: tensor<32x64xf32>, %x: tensor<50x32x64xf32>) -> (tensor<32x64xf32>, tensor<50x32x64xf32>) {
  %y, %s = array.scan length 50 consts(%w, %b : tensor<64x64xf32>, tensor<64xf32>) carries(%h : tensor<32x64xf32>) elements(%x : tensor<50x32x64xf32>) {
  ^bb0(%i: tensor<i64>, %v: tensor<64x64xf32>, %c: tensor<64xf32>, %g: tensor<32x64xf32>, %e: tensor<32x64xf32>):
    %p = array.dot_general %g, %v batch [] x [] contract [1] x [0] : tensor<32x64xf32>, tensor<64x64xf32> -> tensor<32x64xf32>
    %d = array.broadcast %c dims [1] : tensor<64xf32> -> tensor<32x64xf32>
    %q = array.add %p, %d : tensor<32x64xf32>
    %r = array.add %q, %e : tensor<32x64xf32>
    %one = array.constant dense<1.0> : tensor<32x64xf32>
    %u = array.sub %r, %one : tensor<32x64xf32>
    %t = array.tanh %u : tensor<32x64xf32>
    array.yield %t, %t : tensor<32x64xf32>, tensor<32x64xf32>
  }
  func.return %y, %s : tensor<32x64xf32>, tensor<50x32x64xf32>
}

// CHECK-LABEL: func.func @recurrent
// CHECK:         "scf.parallel"(%{{.*}}, [[FOUR:%.*]], %{{.*}})
// CHECK-NEXT:    ^bb0([[N:%.*]]: index):
// CHECK-NEXT:      [[EIGHT:%.*]] = arith.constant 8 : index
// CHECK-NEXT:      [[FIRST:%.*]] = arith.muli [[N]], [[EIGHT]] : index
// CHECK:           memref.subview %{{.*}}[[[FIRST]], 0] [8, 64] [1, 1] : memref<32x64xf32> to memref<8x64xf32, strided<[64, 1], offset: ?>>
// CHECK:           scf.for
// CHECK:             [[E:%.*]] = memref.subview %x[%{{.*}}, 0, 0] [1, 32, 64] [1, 1, 1]
// CHECK-NEXT:        memref.subview [[E]][[[FIRST]], 0] [8, 64] [1, 1]
// CHECK:             kernel.fusion ins(%{{.*}} = %{{.*}} : memref<8x64xf32, strided<[64, 1], offset: ?>>, %v = %w : memref<64x64xf32>) outs(%{{.*}} : memref<8x64xf32, strided<[64, 1], offset: ?>>)
// CHECK-NEXT:          array.dot_general {{.*}} : tensor<8x64xf32>, tensor<64x64xf32> -> tensor<8x64xf32>
// CHECK:               array.broadcast {{.*}} : tensor<64xf32> -> tensor<8x64xf32>
// CHECK:               array.constant dense<1.000000e+00> : tensor<8x64xf32>

// -----

// Rows that meet, here in a sum over them, run together.
func.func @meeting(%h: tensor<32x64xf32>) -> tensor<32x64xf32> {
  %y = array.scan length 1000 carries(%h : tensor<32x64xf32>) {
  ^bb0(%i: tensor<i64>, %g: tensor<32x64xf32>):
    %s = array.reduce add %g dims [0] : tensor<32x64xf32> -> tensor<64xf32>
    %b = array.broadcast %s dims [1] : tensor<64xf32> -> tensor<32x64xf32>
    %t = array.tanh %b : tensor<32x64xf32>
    array.yield %t : tensor<32x64xf32>
  }
  func.return %y : tensor<32x64xf32>
}

// CHECK-LABEL: func.func @meeting
// CHECK-NOT:     scf.parallel

// -----

// So do those of a short loop.
func.func @short(%h: tensor<32x64xf32>) -> tensor<32x64xf32> {
  %y = array.scan length 10 carries(%h : tensor<32x64xf32>) {
  ^bb0(%i: tensor<i64>, %g: tensor<32x64xf32>):
    %t = array.tanh %g : tensor<32x64xf32>
    array.yield %t : tensor<32x64xf32>
  }
  func.return %y : tensor<32x64xf32>
}

// CHECK-LABEL: func.func @short
// CHECK-NOT:     scf.parallel
