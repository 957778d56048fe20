// RUN: gradatim-opt %s -p array-fuse | filecheck %s

// The shifted slices of a stencil are loads of one array; cheap ops below them are repeated.
func.func @stencil(%x: tensor<10xf32>) -> tensor<8xf32> {
  %c = array.constant dense<2.0> : tensor<10xf32>
  %z = array.mul %x, %c : tensor<10xf32>
  %a = array.slice %z starts [0] limits [8] strides [1] : tensor<10xf32> -> tensor<8xf32>
  %b = array.slice %z starts [2] limits [10] strides [1] : tensor<10xf32> -> tensor<8xf32>
  %s = array.sub %b, %a : tensor<8xf32>
  func.return %s : tensor<8xf32>
}
// CHECK-LABEL: func.func @stencil
// CHECK-NEXT: %s = kernel.fusion ins(%x_1 = %x : tensor<10xf32>) schedule<rows = [], vector = 8> {
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// Even all neighbours in two dimensions may be computed again.
func.func @neighbours(%x: tensor<34x34xf32>) -> tensor<32x32xf32> {
  %c = array.constant dense<2.0> : tensor<34x34xf32>
  %z = array.mul %x, %c : tensor<34x34xf32>
  %0 = array.slice %z starts [0, 0] limits [32, 32] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %1 = array.slice %z starts [0, 1] limits [32, 33] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %2 = array.slice %z starts [0, 2] limits [32, 34] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %3 = array.slice %z starts [1, 0] limits [33, 32] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %4 = array.slice %z starts [1, 1] limits [33, 33] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %5 = array.slice %z starts [1, 2] limits [33, 34] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %6 = array.slice %z starts [2, 0] limits [34, 32] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %7 = array.slice %z starts [2, 1] limits [34, 33] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %8 = array.slice %z starts [2, 2] limits [34, 34] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %a = array.add %0, %1 : tensor<32x32xf32>
  %b = array.add %a, %2 : tensor<32x32xf32>
  %d = array.add %b, %3 : tensor<32x32xf32>
  %e = array.add %d, %4 : tensor<32x32xf32>
  %f = array.add %e, %5 : tensor<32x32xf32>
  %g = array.add %f, %6 : tensor<32x32xf32>
  %h = array.add %g, %7 : tensor<32x32xf32>
  %i = array.add %h, %8 : tensor<32x32xf32>
  func.return %i : tensor<32x32xf32>
}
// CHECK-LABEL: func.func @neighbours
// CHECK-NEXT: %i = kernel.fusion ins(%x_1 = %x : tensor<34x34xf32>)
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// But not what loads two arrays: each place would take two loads instead of one.
func.func @of_two_arrays(%x: tensor<34x34xf32>, %y: tensor<34x34xf32>) -> tensor<32x32xf32> {
  %z = array.mul %x, %y : tensor<34x34xf32>
  %0 = array.slice %z starts [0, 1] limits [32, 33] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %1 = array.slice %z starts [1, 0] limits [33, 32] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %2 = array.slice %z starts [1, 1] limits [33, 33] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %3 = array.slice %z starts [1, 2] limits [33, 34] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %4 = array.slice %z starts [2, 1] limits [34, 33] strides [1, 1] : tensor<34x34xf32> -> tensor<32x32xf32>
  %a = array.add %0, %1 : tensor<32x32xf32>
  %b = array.add %a, %2 : tensor<32x32xf32>
  %c = array.add %b, %3 : tensor<32x32xf32>
  %d = array.add %c, %4 : tensor<32x32xf32>
  func.return %d : tensor<32x32xf32>
}
// CHECK-LABEL: func.func @of_two_arrays
// CHECK-NEXT: %z = kernel.fusion
// CHECK-NEXT:   array.mul
// CHECK: %d = kernel.fusion ins(%z_1 = %z : tensor<34x34xf32>)

// Only the ops that are repeated count, not what is done once with their results.
func.func @below_what_is_done_once(%x: tensor<10xf32>) -> tensor<10xf32> {
  %c = array.constant dense<2.0> : tensor<10xf32>
  %v = array.constant dense<0.0> : tensor<f32>
  %z = array.mul %x, %c : tensor<10xf32>
  %a = array.slice %z starts [0] limits [8] strides [1] : tensor<10xf32> -> tensor<8xf32>
  %b = array.slice %z starts [2] limits [10] strides [1] : tensor<10xf32> -> tensor<8xf32>
  %s = array.sub %b, %a : tensor<8xf32>
  %e = array.exp %s : tensor<8xf32>
  %p = array.pad %e, %v low [1] high [1] interior [0] : tensor<8xf32>, tensor<f32> -> tensor<10xf32>
  func.return %p : tensor<10xf32>
}
// CHECK-LABEL: func.func @below_what_is_done_once
// CHECK-NEXT: %p = kernel.fusion ins(%x_1 = %x : tensor<10xf32>)
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// Nor does a slice read more than its elements: parts that make a whole are one reading.
func.func @turned(%x: tensor<10xf32>) -> tensor<10xf32> {
  %c = array.constant dense<2.0> : tensor<10xf32>
  %y = array.mul %x, %c : tensor<10xf32>
  %z = array.add %y, %c : tensor<10xf32>
  %a = array.slice %z starts [9] limits [10] strides [1] : tensor<10xf32> -> tensor<1xf32>
  %b = array.slice %z starts [0] limits [9] strides [1] : tensor<10xf32> -> tensor<9xf32>
  %l = array.concatenate %a, %b dim 0 : tensor<1xf32>, tensor<9xf32> -> tensor<10xf32>
  %d = array.slice %z starts [1] limits [10] strides [1] : tensor<10xf32> -> tensor<9xf32>
  %e = array.slice %z starts [0] limits [1] strides [1] : tensor<10xf32> -> tensor<1xf32>
  %r = array.concatenate %d, %e dim 0 : tensor<9xf32>, tensor<1xf32> -> tensor<10xf32>
  %s = array.add %l, %r : tensor<10xf32>
  func.return %s : tensor<10xf32>
}
// CHECK-LABEL: func.func @turned
// CHECK-NEXT: %s = kernel.fusion ins(%x_1 = %x : tensor<10xf32>)
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// Dear ops are not repeated: they come first, in a kernel of their own.
func.func @dear(%x: tensor<10xf32>) -> tensor<8xf32> {
  %z = array.sin %x : tensor<10xf32>
  %a = array.slice %z starts [0] limits [8] strides [1] : tensor<10xf32> -> tensor<8xf32>
  %b = array.slice %z starts [2] limits [10] strides [1] : tensor<10xf32> -> tensor<8xf32>
  %s = array.sub %b, %a : tensor<8xf32>
  func.return %s : tensor<8xf32>
}
// CHECK-LABEL: func.func @dear
// CHECK-NEXT: %z = kernel.fusion
// CHECK-NEXT:   array.sin
// CHECK: %s = kernel.fusion ins(%z_1 = %z : tensor<10xf32>)
// CHECK-NEXT:   array.slice

// Unless nothing is computed twice.
func.func @once(%x: tensor<10xf32>) -> tensor<12xf32> {
  %v = array.constant dense<0.0> : tensor<f32>
  %z = array.sin %x : tensor<10xf32>
  %a = array.pad %z, %v low [1] high [1] interior [0] : tensor<10xf32>, tensor<f32> -> tensor<12xf32>
  func.return %a : tensor<12xf32>
}
// CHECK-LABEL: func.func @once
// CHECK-NEXT: %a = kernel.fusion ins(%x_1 = %x : tensor<10xf32>)
// CHECK-NEXT:   %z = array.sin
// CHECK-NEXT:   array.constant
// CHECK-NEXT:   array.pad %z

// Reverses, transposes and concatenations of what is in memory are index arithmetic, too.
func.func @index_maps(%x: tensor<4x6xf32>, %y: tensor<6x2xf32>, %z: tensor<6x2xf32>) -> tensor<6x4xf32> {
  %t = array.transpose %x permutation [1, 0] : tensor<4x6xf32> -> tensor<6x4xf32>
  %r = array.reverse %t dims [0] : tensor<6x4xf32>
  %c = array.concatenate %y, %z dim 1 : tensor<6x2xf32>, tensor<6x2xf32> -> tensor<6x4xf32>
  %s = array.add %r, %c : tensor<6x4xf32>
  func.return %s : tensor<6x4xf32>
}
// CHECK-LABEL: func.func @index_maps
// CHECK-NEXT: kernel.fusion ins(%x_1 = %x : tensor<4x6xf32>, %y_1 = %y : tensor<6x2xf32>, %z_1 = %z : tensor<6x2xf32>) schedule<rows = [0], vector = 4> {
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// A value cannot be read at other places by the loop that computes it.
func.func @shifted(%x: tensor<8xf32>) -> tensor<8xf32> {
  %z = array.exp %x : tensor<8xf32>
  %r = array.reverse %z dims [0] : tensor<8xf32>
  %s = array.add %z, %r : tensor<8xf32>
  func.return %s : tensor<8xf32>
}
// CHECK-LABEL: func.func @shifted
// CHECK-NEXT: %z = kernel.fusion
// CHECK: %s = kernel.fusion ins(%z_1 = %z : tensor<8xf32>)

// Other reshapes are views of memory, between kernels.
func.func @view(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %a = array.exp %x : tensor<4x8xf32>
  %r = array.reshape %a : tensor<4x8xf32> -> tensor<32xf32>
  %b = array.sin %r : tensor<32xf32>
  func.return %b : tensor<32xf32>
}
// CHECK-LABEL: func.func @view
// CHECK-NEXT: %a = kernel.fusion
// CHECK: %r = array.reshape %a : tensor<4x8xf32> -> tensor<32xf32>
// CHECK-NEXT: %b = kernel.fusion ins(%r_1 = %r : tensor<32xf32>)

// Padding between elements, and many pieces, are kernels of their own.
func.func @alone(%x: tensor<4xf32>) -> (tensor<7xf32>, tensor<36xf32>) {
  %v = array.constant dense<0.0> : tensor<f32>
  %p = array.pad %x, %v low [0] high [0] interior [1] : tensor<4xf32>, tensor<f32> -> tensor<7xf32>
  %y = array.neg %p : tensor<7xf32>
  %c = array.concatenate %x, %x, %x, %x, %x, %x, %x, %x, %x dim 0 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32> -> tensor<36xf32>
  func.return %y, %c : tensor<7xf32>, tensor<36xf32>
}
// CHECK-LABEL: func.func @alone
// CHECK: %p = kernel.fusion
// CHECK: array.pad
// CHECK: %y = kernel.fusion ins(%p_1 = %p : tensor<7xf32>)
// CHECK: %c = kernel.fusion
// CHECK-NEXT: array.concatenate

// Elements are numbered in their own loops, which may still be joined.
func.func @numbered(%x: tensor<20x3xui32>) -> tensor<20x3xui32> {
  %i = array.iota dim 0 : tensor<60xui32>
  %n = array.reshape %i : tensor<60xui32> -> tensor<20x3xui32>
  %s = array.add %x, %n : tensor<20x3xui32>
  func.return %s : tensor<20x3xui32>
}
// CHECK-LABEL: func.func @numbered
// CHECK-NEXT: %s = kernel.fusion ins(%x_1 = %x : tensor<20x3xui32>) schedule<rows = [], vector = 8> {
// CHECK-NEXT:   %i = array.iota
// CHECK-NEXT:   %n = array.reshape %i
// CHECK-NEXT:   array.add

// Not where fewer loops are numbered than run.
func.func @numbered_rows(%x: tensor<4x5x3xui32>) -> tensor<4x5x3xui32> {
  %i = array.iota dim 0 : tensor<20xui32>
  %n = array.reshape %i : tensor<20xui32> -> tensor<4x5xui32>
  %b = array.broadcast %n dims [0, 1] : tensor<4x5xui32> -> tensor<4x5x3xui32>
  %s = array.add %x, %b : tensor<4x5x3xui32>
  func.return %s : tensor<4x5x3xui32>
}
// CHECK-LABEL: func.func @numbered_rows
// CHECK-NEXT: kernel.fusion
// CHECK-SAME: schedule<rows = [0, 1]

// What does not vary from one element to another leaves loops joined, though it is a slice.
func.func @picked(%x: tensor<20x3xf32>, %v: tensor<2xf32>) -> tensor<20x3xf32> {
  %p = array.slice %v starts [1] limits [2] strides [1] : tensor<2xf32> -> tensor<1xf32>
  %r = array.reshape %p : tensor<1xf32> -> tensor<f32>
  %b = array.broadcast %r dims [] : tensor<f32> -> tensor<20x3xf32>
  %s = array.mul %x, %b : tensor<20x3xf32>
  func.return %s : tensor<20x3xf32>
}
// CHECK-LABEL: func.func @picked
// CHECK-NEXT: kernel.fusion
// CHECK-SAME: schedule<rows = [], vector = 8>

// A column is copied before it is read for each of many rows; as often, a row is read in place.
func.func @columns(%x: tensor<100x3xf64>) -> tensor<100xf64> {
  %s = array.slice %x starts [0, 1] limits [100, 2] strides [1, 1] : tensor<100x3xf64> -> tensor<100x1xf64>
  %c = array.reshape %s : tensor<100x1xf64> -> tensor<100xf64>
  %a = array.broadcast %c dims [1] : tensor<100xf64> -> tensor<80x100xf64>
  %b = array.sin %a : tensor<80x100xf64>
  %r = array.reduce add %b dims [0] : tensor<80x100xf64> -> tensor<100xf64>
  func.return %r : tensor<100xf64>
}
// CHECK-LABEL: func.func @columns
// CHECK-NEXT: %c = kernel.fusion ins(%x_1 = %x : tensor<100x3xf64>)
// CHECK-NEXT:   array.slice
// CHECK-NEXT:   array.reshape
// CHECK-NEXT:   kernel.yield
// CHECK:      %r = kernel.fusion ins(%c_1 = %c : tensor<100xf64>)
// CHECK-NEXT:   array.broadcast

func.func @row(%x: tensor<3x100xf64>) -> tensor<100xf64> {
  %s = array.slice %x starts [1, 0] limits [2, 100] strides [1, 1] : tensor<3x100xf64> -> tensor<1x100xf64>
  %c = array.reshape %s : tensor<1x100xf64> -> tensor<100xf64>
  %a = array.broadcast %c dims [1] : tensor<100xf64> -> tensor<80x100xf64>
  %b = array.sin %a : tensor<80x100xf64>
  %r = array.reduce add %b dims [0] : tensor<80x100xf64> -> tensor<100xf64>
  func.return %r : tensor<100xf64>
}
// CHECK-LABEL: func.func @row
// CHECK-NEXT: %r = kernel.fusion ins(%x_1 = %x : tensor<3x100xf64>)
// CHECK-NEXT:   array.slice
// CHECK-NEXT:   array.reshape
// CHECK-NEXT:   array.broadcast
