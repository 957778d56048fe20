// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// Data that an update is computed from is read in memory.

func.func @data(%x: memref<9xf64>, %t: memref<9xf64>) {
  kernel.fusion ins(%a = %x : memref<9xf64>, %b = %t : memref<9xf64>) outs(%t : memref<9xf64>) schedule<rows = [], vector = 1> {
    %k = array.constant dense<[0, 3, -2]> : tensor<3xi64>
    %i = array.iota dim 0 : tensor<3xi64>
    %g = array.gather %a[%k] dims [0] : tensor<9xf64>, tensor<3xi64> -> tensor<3xf64>
    %y = array.scatter add %b[%i], %g dims [0] : tensor<9xf64>, tensor<3xf64>, tensor<3xi64>
    kernel.yield %y : tensor<9xf64>
  }
  func.return
}

// CHECK:    "memref.global"() <{sym_name = "constant_0", type = memref<3xi64>, initial_value = dense<[0, 3, -2]> : tensor<3xi64>, sym_visibility = "private", constant}> : () -> ()
// CHECK-LABEL: func.func @data(%x: memref<9xf64>, %t: memref<9xf64>)
// CHECK-NEXT:    %0 = arith.constant 0 : i64
// CHECK-NEXT:    %1 = arith.constant 8 : i64
// CHECK-NEXT:    %2 = arith.constant 0 : index
// CHECK-NEXT:    %3 = arith.constant 3 : index
// CHECK-NEXT:    %4 = arith.constant 1 : index
// CHECK-NEXT:    %5 = memref.get_global @constant_0 : memref<3xi64>
// CHECK-NEXT:    scf.for %6 = %2 to %3 step %4 {
// CHECK-NEXT:    %7 = memref.load %5[%6] : memref<3xi64>
// CHECK-NEXT:    %8 = arith.index_cast %7 : i64 to index
// CHECK-NEXT:    %9 = arith.maxsi %7, %0 : i64
// CHECK-NEXT:    %10 = arith.minsi %9, %1 : i64
// CHECK-NEXT:    %11 = arith.index_cast %10 : i64 to index
// CHECK-NEXT:    %12 = memref.load %x[%11] : memref<9xf64>
// CHECK-NEXT:    %13 = memref.load %t[%6] : memref<9xf64>
// CHECK-NEXT:    %14 = arith.addf %13, %12 fastmath<contract> : f64
// CHECK-NEXT:    memref.store %14, %t[%6] : memref<9xf64>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// -----

// Other rows are made of an array in memory: here of one that is computed before the update.

func.func @rows(%x: memref<2x3xf64>, %t: memref<9xf64>) {
  kernel.fusion ins(%a = %x : memref<2x3xf64>, %b = %t : memref<9xf64>) outs(%t : memref<9xf64>) schedule<rows = [], vector = 1> {
    %i = array.iota dim 0 : tensor<6xi64>
    %c = array.transpose %a permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
    %r = array.reshape %c : tensor<3x2xf64> -> tensor<6xf64>
    %y = array.scatter add %b[%i], %r dims [0] : tensor<9xf64>, tensor<6xf64>, tensor<6xi64>
    kernel.yield %y : tensor<9xf64>
  }
  func.return
}

// CHECK-LABEL: func.func @rows(%x: memref<2x3xf64>, %t: memref<9xf64>)
// CHECK-NEXT:    %0 = arith.constant 3 : index
// CHECK-NEXT:    %1 = arith.constant 2 : index
// CHECK-NEXT:    %2 = arith.constant 0 : index
// CHECK-NEXT:    %3 = arith.constant 1 : index
// CHECK-NEXT:    %4 = arith.constant 6 : index
// CHECK-NEXT:    %5 = memref.reinterpret_cast %x to offset: [0], sizes: [6], strides: [1] : memref<2x3xf64> to memref<6xf64>
// CHECK-NEXT:    %6 = memref.alloca() : memref<6xf64>
// CHECK-NEXT:    scf.for %7 = %2 to %0 step %3 {
// CHECK-NEXT:    scf.for %8 = %2 to %1 step %3 {
// CHECK-NEXT:    %9 = arith.muli %8, %0 : index
// CHECK-NEXT:    %10 = arith.addi %7, %9 : index
// CHECK-NEXT:    %11 = memref.load %5[%10] : memref<6xf64>
// CHECK-NEXT:    %12 = arith.muli %7, %1 : index
// CHECK-NEXT:    %13 = arith.addi %12, %8 : index
// CHECK-NEXT:    memref.store %11, %6[%13] : memref<6xf64>
// CHECK-NEXT:    }
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %14 = %2 to %4 step %3 {
// CHECK-NEXT:    %15 = memref.load %6[%14] : memref<6xf64>
// CHECK-NEXT:    %16 = memref.load %t[%14] : memref<9xf64>
// CHECK-NEXT:    %17 = arith.addf %16, %15 fastmath<contract> : f64
// CHECK-NEXT:    memref.store %17, %t[%14] : memref<9xf64>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// -----

// A sum is known when it is read as padding.

func.func @padding(%x: memref<4xf64>, %z: memref<6xf64>, %out: memref<6xf64>) {
  kernel.fusion ins(%a = %x : memref<4xf64>, %b = %z : memref<6xf64>) outs(%out : memref<6xf64>) schedule<rows = [], vector = 1> {
    %k = array.reduce add %b dims [0] : tensor<6xf64> -> tensor<f64>
    %p = array.pad %a, %k low [1] high [1] interior [0] : tensor<4xf64>, tensor<f64> -> tensor<6xf64>
    %e = array.neg %p : tensor<6xf64>
    kernel.yield %e : tensor<6xf64>
  }
  func.return
}

// CHECK-LABEL: func.func @padding(%x: memref<4xf64>, %z: memref<6xf64>, %out: memref<6xf64>)
// CHECK-NEXT:    %0 = arith.constant 0.000000e+00 : f64
// CHECK-NEXT:    %1 = arith.constant 0 : index
// CHECK-NEXT:    %2 = arith.constant 6 : index
// CHECK-NEXT:    %3 = arith.constant 1 : index
// CHECK-NEXT:    %4 = arith.constant -1 : index
// CHECK-NEXT:    %5 = arith.constant 4 : i64
// CHECK-NEXT:    %6 = scf.for %7 = %1 to %2 step %3 iter_args(%8 = %0) -> (f64) {
// CHECK-NEXT:    %9 = memref.load %z[%7] : memref<6xf64>
// CHECK-NEXT:    %10 = arith.addf %8, %9 fastmath<contract> : f64
// CHECK-NEXT:    scf.yield %10 : f64
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %11 = %1 to %2 step %3 {
// CHECK-NEXT:    %12 = arith.addi %11, %4 : index
// CHECK-NEXT:    %13 = arith.index_cast %12 : index to i64
// CHECK-NEXT:    %14 = kernel.compare "ult" %13, %5 : i64 -> i1
// CHECK-NEXT:    %15 = scf.if %14 -> (f64) {
// CHECK-NEXT:    %16 = memref.load %x[%12] : memref<4xf64>
// CHECK-NEXT:    scf.yield %16 : f64
// CHECK-NEXT:    } else {
// CHECK-NEXT:    scf.yield %6 : f64
// CHECK-NEXT:    }
// CHECK-NEXT:    %17 = arith.negf %15 fastmath<contract> : f64
// CHECK-NEXT:    memref.store %17, %out[%11] : memref<6xf64>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
