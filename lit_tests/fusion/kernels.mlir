// RUN: gradatim-opt %s -p array-fuse | filecheck %s

// A product of matrices whose right operand is far is the library's; what is around it fuses.
func.func @layer(%x: tensor<32x512xf32>, %w: tensor<512x256xf32>, %b: tensor<256xf32>) -> tensor<32x256xf32> {
  %p = array.dot_general %x, %w batch [] x [] contract [1] x [0] : tensor<32x512xf32>, tensor<512x256xf32> -> tensor<32x256xf32>
  %c = array.broadcast %b dims [1] : tensor<256xf32> -> tensor<32x256xf32>
  %s = array.add %p, %c : tensor<32x256xf32>
  %y = array.tanh %s : tensor<32x256xf32>
  func.return %y : tensor<32x256xf32>
}
// CHECK-LABEL: func.func @layer
// CHECK-NEXT: %p = kernel.fusion ins(%x_1 = %x : tensor<32x512xf32>, %w_1 = %w : tensor<512x256xf32>) schedule<rows = [], {{.*}}vector = 1, library = "gemm"> {
// CHECK-NEXT:   array.dot_general
// CHECK-NEXT:   kernel.yield
// CHECK: %y = kernel.fusion ins(%p_1 = %p : tensor<32x256xf32>, %b_1 = %b : tensor<256xf32>) schedule<rows = [0], vector = 8> {

// If it is near, loops over tiles are faster: eight rows are two tiles of four, by three vectors.
func.func @near(%x: tensor<8x64xf32>, %w: tensor<64x48xf32>) -> tensor<8x48xf32> {
  %p = array.dot_general %x, %w batch [] x [] contract [1] x [0] : tensor<8x64xf32>, tensor<64x48xf32> -> tensor<8x48xf32>
  func.return %p : tensor<8x48xf32>
}
// CHECK-LABEL: func.func @near
// CHECK-NEXT: schedule<rows = [0], vector = 8, unroll = 3, tile = 4>

// Loops do not pay for a row or two, for columns that are apart in memory, for fewer columns than
// a vector has, nor for rows of the right operand that are far from each other.
func.func @unsuited(%v: tensor<64xf32>, %x: tensor<32x64xf32>, %w: tensor<64x96xf32>, %t: tensor<96x64xf32>, %n: tensor<64x4xf32>, %l: tensor<64x1024xf32>) -> (tensor<96xf32>, tensor<32x96xf32>, tensor<32x4xf32>, tensor<32x1024xf32>) {
  %p = array.dot_general %v, %w batch [] x [] contract [0] x [0] : tensor<64xf32>, tensor<64x96xf32> -> tensor<96xf32>
  %q = array.dot_general %x, %t batch [] x [] contract [1] x [1] : tensor<32x64xf32>, tensor<96x64xf32> -> tensor<32x96xf32>
  %r = array.dot_general %x, %n batch [] x [] contract [1] x [0] : tensor<32x64xf32>, tensor<64x4xf32> -> tensor<32x4xf32>
  %s = array.dot_general %x, %l batch [] x [] contract [1] x [0] : tensor<32x64xf32>, tensor<64x1024xf32> -> tensor<32x1024xf32>
  func.return %p, %q, %r, %s : tensor<96xf32>, tensor<32x96xf32>, tensor<32x4xf32>, tensor<32x1024xf32>
}
// CHECK-LABEL: func.func @unsuited
// CHECK-NEXT: library = "gemm"
// CHECK: library = "gemm"
// CHECK: library = "gemm"
// CHECK: library = "gemm"

// A small product, and one of integers, is generated.
func.func @small(%x: tensor<4x4xf32>, %n: tensor<64x64xi32>) -> (tensor<4x4xf32>, tensor<64x64xi32>) {
  %p = array.dot_general %x, %x batch [] x [] contract [1] x [0] : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %q = array.dot_general %n, %n batch [] x [] contract [1] x [0] : tensor<64x64xi32>, tensor<64x64xi32> -> tensor<64x64xi32>
  func.return %p, %q : tensor<4x4xf32>, tensor<64x64xi32>
}
// CHECK-LABEL: func.func @small
// CHECK-NEXT: schedule<rows = [0], vector = 4, tile = 4>
// CHECK-NOT: library
// CHECK: func.return

// Batches of products are the library's one by one.
func.func @batch(%x: tensor<8x256x256xf64>) -> tensor<8x256x256xf64> {
  %p = array.dot_general %x, %x batch [0] x [0] contract [2] x [1] : tensor<8x256x256xf64>, tensor<8x256x256xf64> -> tensor<8x256x256xf64>
  func.return %p : tensor<8x256x256xf64>
}
// CHECK-LABEL: func.func @batch
// CHECK-NEXT: schedule<rows = [0], {{.*}}vector = 1, library = "gemm">

// Searches and running sums loop over all dimensions but their own as rows.
func.func @scans(%x: tensor<4x8xf32>) -> (tensor<8xi64>, tensor<4x8xf32>) {
  %i = array.argreduce max %x dim 0 : tensor<4x8xf32> -> tensor<8xi64>
  %s = array.cumulative add %x dim 1 : tensor<4x8xf32>
  func.return %i, %s : tensor<8xi64>, tensor<4x8xf32>
}
// CHECK-LABEL: func.func @scans
// CHECK-NEXT: %i = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [1]
// CHECK: %s = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0]

// What takes a few cheap ops from a value in memory is computed again, not written and read.
func.func @again(%x: tensor<4x4xf32>, %g: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %one = array.constant dense<1.0> : tensor<4x4xf32>
  %y = array.tanh %x : tensor<4x4xf32>
  %q = array.mul %y, %y : tensor<4x4xf32>
  %d = array.sub %one, %q : tensor<4x4xf32>
  %p = array.dot_general %y, %g batch [] x [] contract [1] x [0] : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %r = array.mul %p, %d : tensor<4x4xf32>
  func.return %y, %r : tensor<4x4xf32>, tensor<4x4xf32>
}
// CHECK-LABEL: func.func @again
// CHECK-NEXT: %y = kernel.fusion
// CHECK-NEXT:   array.tanh
// CHECK-NEXT:   kernel.yield
// CHECK: %r = kernel.fusion ins(%p_1 = %p : tensor<4x4xf32>, %y_1 = %y : tensor<4x4xf32>)
// CHECK: array.mul %y_1, %y_1
// CHECK: array.sub

// Reductions of windows and convolutions are kernels of their own.
func.func @windows(%x: tensor<2x9x9x3xf32>, %w: tensor<3x3x3x16xf32>) -> tensor<2x3x3x16xf32> {
  %c = array.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] lhs_dilation [1, 1] rhs_dilation [1, 1] groups 1 : tensor<2x9x9x3xf32>, tensor<3x3x3x16xf32> -> tensor<2x7x7x16xf32>
  %t = array.tanh %c : tensor<2x7x7x16xf32>
  %p = array.reduce_window max %t sizes [1, 2, 2, 1] strides [1, 2, 2, 1] dilations [1, 1, 1, 1] low [0, 0, 0, 0] high [0, 0, 0, 0] : tensor<2x7x7x16xf32> -> tensor<2x3x3x16xf32>
  func.return %p : tensor<2x3x3x16xf32>
}
// CHECK-LABEL: func.func @windows
// CHECK-NEXT: %c = kernel.fusion ins(%x_1 = %x : tensor<2x9x9x3xf32>, %w_1 = %w : tensor<3x3x3x16xf32>) schedule<rows = [0, 1, 2], vector = 8>
// CHECK-NEXT:   array.convolution
// CHECK-NEXT:   kernel.yield
// CHECK: %t = kernel.fusion
// CHECK: %p = kernel.fusion ins(%t_1 = %t : tensor<2x7x7x16xf32>) schedule<rows = [0, 1, 2], vector = 8>
// CHECK-NEXT:   array.reduce_window
// CHECK-NEXT:   kernel.yield

// Large ones are split among threads: whole examples and rows, or a single line.
func.func @large(%x: tensor<8x56x56x64xf32>, %w: tensor<3x3x64x64xf32>, %s: tensor<100000xf32>) -> (tensor<8x54x54x64xf32>, tensor<99001xf32>) {
  %c = array.convolution %x, %w strides [1, 1] low [0, 0] high [0, 0] lhs_dilation [1, 1] rhs_dilation [1, 1] groups 1 : tensor<8x56x56x64xf32>, tensor<3x3x64x64xf32> -> tensor<8x54x54x64xf32>
  %m = array.reduce_window max %s sizes [1000] strides [1] dilations [1] low [0] high [0] : tensor<100000xf32> -> tensor<99001xf32>
  func.return %c, %m : tensor<8x54x54x64xf32>, tensor<99001xf32>
}
// CHECK-LABEL: func.func @large
// CHECK-NEXT: schedule<rows = [0, 1, 2], parallel = [0, 1], vector = 8>
// CHECK: %m = kernel.fusion ins(%s_1 = %s : tensor<100000xf32>) schedule<rows = [], parallel = [0], vector = 8>

// What a kernel needs beside its own values, and does not depend on it, runs before it.
func.func @before(%x: tensor<20x30xf64>, %v: tensor<30x20xf64>) -> tensor<20xf64> {
  %a = array.sin %x : tensor<20x30xf64>
  %w = array.reduce add %v dims [1] : tensor<30x20xf64> -> tensor<30xf64>
  %e = array.exp %w : tensor<30xf64>
  %b = array.broadcast %e dims [1] : tensor<30xf64> -> tensor<20x30xf64>
  %m = array.mul %a, %b : tensor<20x30xf64>
  %r = array.reduce add %m dims [1] : tensor<20x30xf64> -> tensor<20xf64>
  func.return %r : tensor<20xf64>
}
// CHECK-LABEL: func.func @before
// CHECK-NEXT: %w = kernel.fusion
// CHECK:      %e = kernel.fusion
// CHECK:      %r = kernel.fusion
// CHECK-NEXT:   array.sin
// CHECK-NEXT:   array.broadcast
// CHECK-NEXT:   array.mul
// CHECK-NEXT:   array.reduce
// CHECK-NOT:  kernel.fusion
// CHECK:      func.return

// What depends on it comes after, and so does what uses both.
func.func @after(%x: tensor<20x30xf64>) -> tensor<20x30xf64> {
  %a = array.sin %x : tensor<20x30xf64>
  %w = array.reduce add %a dims [0] : tensor<20x30xf64> -> tensor<30xf64>
  %e = array.exp %w : tensor<30xf64>
  %b = array.broadcast %e dims [1] : tensor<30xf64> -> tensor<20x30xf64>
  %m = array.mul %a, %b : tensor<20x30xf64>
  func.return %m : tensor<20x30xf64>
}
// CHECK-LABEL: func.func @after
// CHECK-NEXT: %a, %w = kernel.fusion
// CHECK:      %e = kernel.fusion
// CHECK:      %m = kernel.fusion

// A few arrays are interleaved by vectors along them.
func.func @interleaved(%x: tensor<40xf64>, %y: tensor<40xf64>) -> tensor<40x2xf64> {
  %a = array.reshape %x : tensor<40xf64> -> tensor<40x1xf64>
  %b = array.reshape %y : tensor<40xf64> -> tensor<40x1xf64>
  %c = array.concatenate %a, %b dim 1 : tensor<40x1xf64>, tensor<40x1xf64> -> tensor<40x2xf64>
  func.return %c : tensor<40x2xf64>
}
// CHECK-LABEL: func.func @interleaved
// CHECK-NEXT: %c = kernel.fusion {{.*}} schedule<rows = [], vector = 4>
