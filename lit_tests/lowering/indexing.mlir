// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// A window is read and written in whole vectors at an offset that is computed once.

func.func @window(%x: memref<9x8xf32>, %i: memref<i64>, %y: memref<9x8xf32>) {
  kernel.fusion ins(%a = %x : memref<9x8xf32>, %at = %i : memref<i64>) outs(%y : memref<9x8xf32>) schedule<rows = [0], vector = 8> {
    %zero = array.constant dense<0> : tensor<i64>
    %w = array.dynamic_slice %a[%at, %zero] : tensor<9x8xf32> -> tensor<1x8xf32>
    %e = array.neg %w : tensor<1x8xf32>
    %u = array.dynamic_update_slice %a[%at, %zero], %e : tensor<9x8xf32>, tensor<1x8xf32>
    kernel.yield %u : tensor<9x8xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @window(%x: memref<9x8xf32>, %i: memref<i64>, %y: memref<9x8xf32>)
// CHECK-NEXT:    %0 = arith.constant 0 : index
// CHECK-NEXT:    %1 = arith.constant 0 : i64
// CHECK-NEXT:    %2 = arith.constant 8 : i64
// CHECK-NEXT:    %3 = arith.constant 8 : index
// CHECK-NEXT:    %4 = memref.reinterpret_cast %x to offset: [0], sizes: [72], strides: [1] : memref<9x8xf32> to memref<72xf32>
// CHECK-NEXT:    %5 = memref.reinterpret_cast %i to offset: [0], sizes: [1], strides: [1] : memref<i64> to memref<1xi64>
// CHECK-NEXT:    %6 = memref.reinterpret_cast %y to offset: [0], sizes: [72], strides: [1] : memref<9x8xf32> to memref<72xf32>
// CHECK-NEXT:    "memref.copy"(%4, %6) : (memref<72xf32>, memref<72xf32>) -> ()
// CHECK-NEXT:    %7 = memref.load %5[%0] : memref<1xi64>
// CHECK-NEXT:    %8 = arith.index_cast %7 : i64 to index
// CHECK-NEXT:    %9 = arith.maxsi %7, %1 : i64
// CHECK-NEXT:    %10 = arith.minsi %9, %2 : i64
// CHECK-NEXT:    %11 = arith.index_cast %10 : i64 to index
// CHECK-NEXT:    %12 = arith.muli %11, %3 : index
// CHECK-NEXT:    %13 = vector.load %4[%12] : memref<72xf32>, vector<8xf32>
// CHECK-NEXT:    %14 = arith.negf %13 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    vector.store %14, %6[%12] : memref<72xf32>, vector<8xf32>
// CHECK-NEXT:    func.return

// -----

// Lanes at positions of their own.

func.func @gather(%x: memref<9xf32>, %i: memref<4xi64>, %y: memref<4xf32>) {
  kernel.fusion ins(%a = %x : memref<9xf32>, %at = %i : memref<4xi64>) outs(%y : memref<4xf32>) schedule<rows = [], vector = 4> {
    %g = array.gather %a[%at] dims [0] : tensor<9xf32>, tensor<4xi64> -> tensor<4xf32>
    kernel.yield %g : tensor<4xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @gather(%x: memref<9xf32>, %i: memref<4xi64>, %y: memref<4xf32>)
// CHECK-NEXT:    %0 = arith.constant 0 : index
// CHECK-NEXT:    %1 = arith.constant dense<0> : vector<4xi64>
// CHECK-NEXT:    %2 = arith.constant dense<8> : vector<4xi64>
// CHECK-NEXT:    %3 = vector.load %i[%0] : memref<4xi64>, vector<4xi64>
// CHECK-NEXT:    %4 = arith.maxsi %3, %1 : vector<4xi64>
// CHECK-NEXT:    %5 = arith.minsi %4, %2 : vector<4xi64>
// CHECK-NEXT:    %6 = kernel.gather_load %x[%0] at %5 : memref<9xf32>, vector<4xi64> -> vector<4xf32>
// CHECK-NEXT:    vector.store %6, %y[%0] : memref<4xf32>, vector<4xf32>
// CHECK-NEXT:    func.return

// -----

// Updates in order, in place, each tested for being in range once.

func.func @scatter(%x: memref<9x8xf32>, %i: memref<4xi64>, %u: memref<4x8xf32>) {
  kernel.fusion ins(%a = %x : memref<9x8xf32>, %at = %i : memref<4xi64>, %b = %u : memref<4x8xf32>) outs(%x : memref<9x8xf32>) schedule<rows = [0], vector = 8> {
    %s = array.scatter add %a[%at], %b dims [0] : tensor<9x8xf32>, tensor<4x8xf32>, tensor<4xi64>
    kernel.yield %s : tensor<9x8xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @scatter(%x: memref<9x8xf32>, %i: memref<4xi64>, %u: memref<4x8xf32>)
// CHECK-NEXT:    %0 = arith.constant 9 : i64
// CHECK-NEXT:    %1 = arith.constant 8 : index
// CHECK-NEXT:    %2 = arith.constant 0 : index
// CHECK-NEXT:    %3 = arith.constant 4 : index
// CHECK-NEXT:    %4 = arith.constant 1 : index
// CHECK-NEXT:    %5 = memref.reinterpret_cast %x to offset: [0], sizes: [72], strides: [1] : memref<9x8xf32> to memref<72xf32>
// CHECK-NEXT:    %6 = memref.reinterpret_cast %u to offset: [0], sizes: [32], strides: [1] : memref<4x8xf32> to memref<32xf32>
// CHECK-NEXT:    %7 = memref.reinterpret_cast %x to offset: [0], sizes: [72], strides: [1] : memref<9x8xf32> to memref<72xf32>
// CHECK-NEXT:    scf.for %8 = %2 to %3 step %4 {
// CHECK-NEXT:    %9 = memref.load %i[%8] : memref<4xi64>
// CHECK-NEXT:    %10 = arith.index_cast %9 : i64 to index
// CHECK-NEXT:    %11 = kernel.compare "ult" %9, %0 : i64 -> i1
// CHECK-NEXT:    scf.if %11 {
// CHECK-NEXT:    %12 = arith.muli %8, %1 : index
// CHECK-NEXT:    %13 = vector.load %6[%12] : memref<32xf32>, vector<8xf32>
// CHECK-NEXT:    %14 = arith.muli %10, %1 : index
// CHECK-NEXT:    %15 = vector.load %7[%14] : memref<72xf32>, vector<8xf32>
// CHECK-NEXT:    %16 = arith.addf %15, %13 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    vector.store %16, %7[%14] : memref<72xf32>, vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// -----

// Positions that count need no test, and their updates make one vector.

func.func @counted(%x: memref<9xf32>, %u: memref<4xf32>) {
  kernel.fusion ins(%a = %x : memref<9xf32>, %b = %u : memref<4xf32>) outs(%x : memref<9xf32>) schedule<rows = [], vector = 4> {
    %n = array.iota dim 0 : tensor<4xi64>
    %two = array.constant dense<2> : tensor<4xi64>
    %at = array.mul %n, %two : tensor<4xi64>
    %s = array.scatter set %a[%at], %b dims [0] : tensor<9xf32>, tensor<4xf32>, tensor<4xi64>
    kernel.yield %s : tensor<9xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @counted(%x: memref<9xf32>, %u: memref<4xf32>)
// CHECK-NEXT:    %0 = arith.constant 0 : index
// CHECK-NEXT:    %1 = vector.load %u[%0] : memref<4xf32>, vector<4xf32>
// CHECK-NEXT:    kernel.strided_store %1, %x[%0] stride 2 : vector<4xf32>, memref<9xf32>
// CHECK-NEXT:    func.return
