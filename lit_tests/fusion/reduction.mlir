// RUN: gradatim-opt %s -p array-fuse | filecheck %s

// Softmax reads and writes memory once: rows, two reductions, and what is between.
func.func @softmax(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = array.reduce max %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %b = array.broadcast %m dims [0] : tensor<4xf32> -> tensor<4x8xf32>
  %c = array.sub %x, %b : tensor<4x8xf32>
  %e = array.exp %c : tensor<4x8xf32>
  %s = array.reduce add %e dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %d = array.broadcast %s dims [0] : tensor<4xf32> -> tensor<4x8xf32>
  %y = array.div %e, %d : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}
// CHECK-LABEL: func.func @softmax
// CHECK-NEXT: %y = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8> {
// CHECK: kernel.yield %y_1 : tensor<4x8xf32>
// CHECK-NEXT: } -> (tensor<4x8xf32>)
// CHECK-NEXT: func.return

// So does it with dimensions of size one kept, as NumPy's keepdims makes them.
func.func @keepdims(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %m = array.reduce add %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %k = array.reshape %m : tensor<4xf32> -> tensor<4x1xf32>
  %l = array.log %k : tensor<4x1xf32>
  %r = array.reshape %l : tensor<4x1xf32> -> tensor<4xf32>
  %b = array.broadcast %r dims [0] : tensor<4xf32> -> tensor<4x8xf32>
  %y = array.sub %x, %b : tensor<4x8xf32>
  func.return %y : tensor<4x8xf32>
}
// CHECK-LABEL: func.func @keepdims
// CHECK-NEXT: kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8> {
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// A sum of everything is one loop, whatever its dimensions; its use is another kernel's.
func.func @normalize(%x: tensor<1000x1000xf32>) -> tensor<1000x1000xf32> {
  %q = array.mul %x, %x : tensor<1000x1000xf32>
  %s = array.reduce add %q dims [0, 1] : tensor<1000x1000xf32> -> tensor<f32>
  %b = array.broadcast %s dims [] : tensor<f32> -> tensor<1000x1000xf32>
  %y = array.div %x, %b : tensor<1000x1000xf32>
  func.return %y : tensor<1000x1000xf32>
}
// CHECK-LABEL: func.func @normalize
// CHECK-NEXT: %s = kernel.fusion ins(%x_1 = %x : tensor<1000x1000xf32>) schedule<rows = [], parallel = [0], vector = 8, unroll = 4> {
// CHECK: } -> (tensor<f32>)
// CHECK-NEXT: %y = kernel.fusion ins(%x_1 = %x : tensor<1000x1000xf32>, %s_1 = %s : tensor<f32>)

// Of a small array, which stays in cache, it is the same kernel's.
func.func @normalize_small(%x: tensor<10x10xf32>) -> tensor<10x10xf32> {
  %q = array.mul %x, %x : tensor<10x10xf32>
  %s = array.reduce add %q dims [0, 1] : tensor<10x10xf32> -> tensor<f32>
  %b = array.broadcast %s dims [] : tensor<f32> -> tensor<10x10xf32>
  %y = array.div %x, %b : tensor<10x10xf32>
  func.return %y : tensor<10x10xf32>
}
// CHECK-LABEL: func.func @normalize_small
// CHECK: kernel.fusion
// CHECK-NOT: kernel.fusion
// CHECK: func.return

// A reduction over rows ends with the kernel; what uses it comes after.
func.func @over_rows(%x: tensor<4x8xf32>, %g: tensor<8xf32>) -> (tensor<4xf32>, tensor<8xf32>) {
  %e = array.exp %x : tensor<4x8xf32>
  %r = array.reduce add %e dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %b = array.broadcast %r dims [0] : tensor<4xf32> -> tensor<4x8xf32>
  %d = array.div %e, %b : tensor<4x8xf32>
  %c = array.reduce add %d dims [0] : tensor<4x8xf32> -> tensor<8xf32>
  %u = array.mul %c, %g : tensor<8xf32>
  func.return %r, %u : tensor<4xf32>, tensor<8xf32>
}
// CHECK-LABEL: func.func @over_rows
// CHECK-NEXT: %r, %c = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8> {
// CHECK: %u = kernel.fusion ins(%c_1 = %c : tensor<8xf32>, %g_1 = %g : tensor<8xf32>) schedule<rows = [], vector = 8> {

// Rows are what the reductions in use leave; two that leave different ones are apart.
func.func @both(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %r = array.reduce add %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %b = array.broadcast %r dims [0] : tensor<4xf32> -> tensor<4x8xf32>
  %d = array.div %x, %b : tensor<4x8xf32>
  %c = array.reduce add %d dims [0] : tensor<4x8xf32> -> tensor<8xf32>
  %e = array.broadcast %c dims [1] : tensor<8xf32> -> tensor<4x8xf32>
  %f = array.div %d, %e : tensor<4x8xf32>
  func.return %f : tensor<4x8xf32>
}
// CHECK-LABEL: func.func @both
// CHECK-NEXT: %d, %c = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8>
// CHECK: %f = kernel.fusion ins(%d_1 = %d : tensor<4x8xf32>, %c_1 = %c : tensor<8xf32>) schedule<rows = [0], vector = 8>

// Sums over leading, inner and all dimensions of one array are one kernel.
func.func @sums(%x: tensor<4x8xf32>) -> (tensor<8xf32>, tensor<4xf32>, tensor<f32>) {
  %a = array.reduce add %x dims [0] : tensor<4x8xf32> -> tensor<8xf32>
  %b = array.reduce add %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %c = array.reduce add %x dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
  func.return %a, %b, %c : tensor<8xf32>, tensor<4xf32>, tensor<f32>
}
// CHECK-LABEL: func.func @sums
// CHECK-NEXT: %a, %b, %c = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8>

// Where the reduced dimension is not the last one, rows are not in one piece of memory: the
// reduction goes over them all at once, in vectors, and its use is another kernel's.
func.func @first_dimension(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %r = array.reduce max %x dims [0] : tensor<4x8xf32> -> tensor<8xf32>
  %b = array.broadcast %r dims [1] : tensor<8xf32> -> tensor<4x8xf32>
  %d = array.sub %x, %b : tensor<4x8xf32>
  func.return %d : tensor<4x8xf32>
}
// CHECK-LABEL: func.func @first_dimension
// CHECK-NEXT: %r = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8>
// CHECK: %d = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>, %r_1 = %r : tensor<8xf32>) schedule<rows = [0], vector = 8>

// Where rows are short, what is dear and has one element a row runs in vectors of its own.
func.func @short_rows(%x: tensor<100x3xf32>) -> tensor<100x3xf32> {
  %q = array.mul %x, %x : tensor<100x3xf32>
  %r = array.reduce add %q dims [1] : tensor<100x3xf32> -> tensor<100xf32>
  %n = array.sqrt %r : tensor<100xf32>
  %b = array.broadcast %n dims [0] : tensor<100xf32> -> tensor<100x3xf32>
  %y = array.div %x, %b : tensor<100x3xf32>
  func.return %y : tensor<100x3xf32>
}
// CHECK-LABEL: func.func @short_rows
// CHECK-NEXT: %r = kernel.fusion ins(%x_1 = %x : tensor<100x3xf32>) schedule<rows = [0], vector = 4>
// CHECK: %n = kernel.fusion ins(%r_1 = %r : tensor<100xf32>) schedule<rows = [], vector = 8>
// CHECK: %y = kernel.fusion ins(%x_1 = %x : tensor<100x3xf32>, %n_1 = %n : tensor<100xf32>)
