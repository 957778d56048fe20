// RUN: gradatim-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: array.broadcast: f32[3] with dims [0] does not fit f32[2,3]
func.func @broadcast(%x: tensor<3xf32>) {
  %y = array.broadcast %x dims [0] : tensor<3xf32> -> tensor<2x3xf32>
  func.return
}

// -----

// CHECK: array.reshape: f32[2,3] has not as many elements as f32[7]
func.func @reshape(%x: tensor<2x3xf32>) {
  %y = array.reshape %x : tensor<2x3xf32> -> tensor<7xf32>
  func.return
}

// -----

// CHECK: array.transpose: result is f32[2,3], not f32[3,2]
func.func @transpose(%x: tensor<2x3xf32>) {
  %y = array.transpose %x permutation [1, 0] : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// -----

// CHECK: array.slice: 0:9:1 is not within a dimension of size 8
func.func @slice(%x: tensor<8xf32>) {
  %y = array.slice %x starts [0] limits [9] strides [1] : tensor<8xf32> -> tensor<9xf32>
  func.return
}

// -----

// CHECK: array.pad: f32[2] cannot be padded by low [-3], high [0], interior [0]
func.func @pad(%x: tensor<2xf32>, %z: tensor<f32>) {
  %y = array.pad %x, %z low [-3] high [0] interior [0] : tensor<2xf32>, tensor<f32> -> tensor<0xf32>
  func.return
}

// -----

// CHECK: array.concatenate along 0: f32[2,3] joined with f32[2,4]
func.func @concatenate(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) {
  %z = array.concatenate %x, %y dim 0 : tensor<2x3xf32>, tensor<2x4xf32> -> tensor<4x3xf32>
  func.return
}

// -----

// CHECK: array.argreduce: f32[2,0] has no element along 1
func.func @argreduce(%x: tensor<2x0xf32>) {
  %y = array.argreduce max %x dim 1 : tensor<2x0xf32> -> tensor<2xi64>
  func.return
}

// -----

// CHECK: array.argreduce is by min, max, not by add
func.func @argreduce_kind(%x: tensor<2xf32>) {
  %y = array.argreduce add %x dim 0 : tensor<2xf32> -> tensor<i64>
  func.return
}

// -----

// CHECK: array.dot_general: sizes differ in f32[2,3] dims [1] and f32[4,2] dims [0]
func.func @dot_general(%x: tensor<2x3xf32>, %y: tensor<4x2xf32>) {
  %z = array.dot_general %x, %y batch [] x [] contract [1] x [0] : tensor<2x3xf32>, tensor<4x2xf32> -> tensor<2x2xf32>
  func.return
}
