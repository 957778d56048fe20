// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// The interior is apart from the rows and elements at the edges of padding.

func.func @padded(%x: memref<62x62xf32>, %y: memref<64x64xf32>) {
  kernel.fusion ins(%a = %x : memref<62x62xf32>) outs(%y : memref<64x64xf32>) schedule<rows = [0], vector = 8> {
    %zero = array.constant dense<0.0> : tensor<f32>
    %p = array.pad %a, %zero low [1, 1] high [1, 1] interior [0, 0] : tensor<62x62xf32>, tensor<f32> -> tensor<64x64xf32>
    %e = array.neg %p : tensor<64x64xf32>
    kernel.yield %e : tensor<64x64xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @padded(%x: memref<62x62xf32>, %y: memref<64x64xf32>)
// CHECK-NEXT:    %0 = arith.constant 1 : i64
// CHECK-NEXT:    %1 = arith.constant 63 : i64
// CHECK-NEXT:    %2 = arith.constant 55 : index
// CHECK-NEXT:    %3 = arith.constant 62 : index
// CHECK-NEXT:    %4 = arith.constant -63 : index
// CHECK-NEXT:    %5 = arith.constant 64 : index
// CHECK-NEXT:    %6 = arith.constant 1 : index
// CHECK-NEXT:    %7 = arith.constant 63 : index
// CHECK-NEXT:    %8 = arith.constant 8 : index
// CHECK-NEXT:    %9 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %10 = arith.constant -1 : index
// CHECK-NEXT:    %11 = arith.constant 62 : i64
// CHECK-NEXT:    %12 = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7]> : vector<8xi64>
// CHECK-NEXT:    %13 = arith.constant dense<62> : vector<8xi64>
// CHECK-NEXT:    %14 = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK-NEXT:    %15 = arith.constant dense<true> : vector<8xi1>
// CHECK-NEXT:    %16 = arith.constant 0 : index
// CHECK-NEXT:    %17 = memref.reinterpret_cast %x to offset: [0], sizes: [3844], strides: [1] : memref<62x62xf32> to memref<3844xf32>
// CHECK-NEXT:    %18 = memref.reinterpret_cast %y to offset: [0], sizes: [4096], strides: [1] : memref<64x64xf32> to memref<4096xf32>
// CHECK-NEXT:    scf.for %19 = %16 to %5 step %6 {
// CHECK-NEXT:    %20 = arith.index_cast %19 : index to i64
// CHECK-NEXT:    %21 = kernel.compare "sge" %20, %0 : i64 -> i1
// CHECK-NEXT:    %22 = kernel.compare "slt" %20, %1 : i64 -> i1
// CHECK-NEXT:    %23 = arith.andi %21, %22 : i1
// CHECK-NEXT:    scf.if %23 {
// CHECK-NEXT:    scf.for %24 = %6 to %7 step %8 {
// CHECK-NEXT:    %25 = arith.minsi %24, %2 : index
// CHECK-NEXT:    %26 = arith.muli %19, %3 : index
// CHECK-NEXT:    %27 = arith.addi %26, %25 : index
// CHECK-NEXT:    %28 = arith.addi %27, %4 : index
// CHECK-NEXT:    %29 = vector.load %17[%28] : memref<3844xf32>, vector<8xf32>
// CHECK-NEXT:    %30 = arith.negf %29 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    %31 = arith.muli %19, %5 : index
// CHECK-NEXT:    %32 = arith.addi %31, %25 : index
// CHECK-NEXT:    vector.store %30, %18[%32] : memref<4096xf32>, vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %33 = arith.negf %9 fastmath<contract> : f32
// CHECK-NEXT:    %34 = arith.muli %19, %5 : index
// CHECK-NEXT:    memref.store %33, %18[%34] : memref<4096xf32>
// CHECK-NEXT:    %35 = arith.negf %9 fastmath<contract> : f32
// CHECK-NEXT:    %36 = arith.muli %19, %5 : index
// CHECK-NEXT:    %37 = arith.addi %36, %7 : index
// CHECK-NEXT:    memref.store %35, %18[%37] : memref<4096xf32>
// CHECK-NEXT:    } else {
// CHECK-NEXT:    scf.for %38 = %16 to %5 step %8 {
// CHECK-NEXT:    %39 = arith.addi %19, %10 : index
// CHECK-NEXT:    %40 = arith.index_cast %39 : index to i64
// CHECK-NEXT:    %41 = kernel.compare "ult" %40, %11 : i64 -> i1
// CHECK-NEXT:    %42 = arith.addi %38, %10 : index
// CHECK-NEXT:    %43 = arith.index_cast %42 : index to i64
// CHECK-NEXT:    %44 = vector.broadcast %43 : i64 to vector<8xi64>
// CHECK-NEXT:    %45 = arith.addi %44, %12 : vector<8xi64>
// CHECK-NEXT:    %46 = kernel.compare "ult" %45, %13 : vector<8xi64> -> vector<8xi1>
// CHECK-NEXT:    %47 = scf.if %41 -> (vector<8xf32>) {
// CHECK-NEXT:    %48 = arith.muli %19, %3 : index
// CHECK-NEXT:    %49 = arith.addi %48, %38 : index
// CHECK-NEXT:    %50 = arith.addi %49, %4 : index
// CHECK-NEXT:    %51 = vector.maskedload %17[%50], %46, %14 : memref<3844xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
// CHECK-NEXT:    %52 = arith.xori %46, %15 : vector<8xi1>
// CHECK-NEXT:    %53 = kernel.select %46, %51, %14 : vector<8xi1>, vector<8xf32>
// CHECK-NEXT:    scf.yield %53 : vector<8xf32>
// CHECK-NEXT:    } else {
// CHECK-NEXT:    scf.yield %14 : vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %54 = arith.negf %47 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    %55 = arith.muli %19, %5 : index
// CHECK-NEXT:    %56 = arith.addi %55, %38 : index
// CHECK-NEXT:    vector.store %54, %18[%56] : memref<4096xf32>, vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return

// -----

// Without rows, each half of what is joined is a loop.

func.func @joined(%x: memref<1024xf32>, %y: memref<2048xf32>) {
  kernel.fusion ins(%a = %x : memref<1024xf32>) outs(%y : memref<2048xf32>) schedule<rows = [], vector = 8> {
    %e = array.neg %a : tensor<1024xf32>
    %c = array.concatenate %a, %e dim 0 : tensor<1024xf32>, tensor<1024xf32> -> tensor<2048xf32>
    kernel.yield %c : tensor<2048xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @joined(%x: memref<1024xf32>, %y: memref<2048xf32>)
// CHECK-NEXT:    %0 = arith.constant 0 : index
// CHECK-NEXT:    %1 = arith.constant 1024 : index
// CHECK-NEXT:    %2 = arith.constant 8 : index
// CHECK-NEXT:    %3 = arith.constant -1024 : index
// CHECK-NEXT:    %4 = arith.constant 2048 : index
// CHECK-NEXT:    scf.for %5 = %0 to %1 step %2 {
// CHECK-NEXT:    %6 = vector.load %x[%5] : memref<1024xf32>, vector<8xf32>
// CHECK-NEXT:    vector.store %6, %y[%5] : memref<2048xf32>, vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    scf.for %7 = %1 to %4 step %2 {
// CHECK-NEXT:    %8 = arith.addi %7, %3 : index
// CHECK-NEXT:    %9 = vector.load %x[%8] : memref<1024xf32>, vector<8xf32>
// CHECK-NEXT:    %10 = arith.negf %9 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    vector.store %10, %y[%7] : memref<2048xf32>, vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
