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
// CHECK-NEXT:    %2 = arith.constant 62 : index
// CHECK-NEXT:    %3 = arith.constant -63 : index
// CHECK-NEXT:    %4 = arith.constant 64 : index
// CHECK-NEXT:    %5 = arith.constant 8 : index
// CHECK-NEXT:    %6 = arith.constant 56 : index
// CHECK-NEXT:    %7 = arith.constant -1 : index
// CHECK-NEXT:    %8 = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7]> : vector<8xi64>
// CHECK-NEXT:    %9 = arith.constant dense<62> : vector<8xi64>
// CHECK-NEXT:    %10 = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK-NEXT:    %11 = arith.constant dense<true> : vector<8xi1>
// CHECK-NEXT:    %12 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:    %13 = arith.constant 55 : index
// CHECK-NEXT:    %14 = arith.constant -7 : index
// CHECK-NEXT:    %15 = arith.constant 62 : i64
// CHECK-NEXT:    %16 = arith.constant 0 : index
// CHECK-NEXT:    %17 = arith.constant 1 : index
// CHECK-NEXT:    %18 = memref.reinterpret_cast %x to offset: [0], sizes: [3844], strides: [1] : memref<62x62xf32> to memref<3844xf32>
// CHECK-NEXT:    %19 = memref.reinterpret_cast %y to offset: [0], sizes: [4096], strides: [1] : memref<64x64xf32> to memref<4096xf32>
// CHECK-NEXT:    scf.for %20 = %16 to %4 step %17 {
// CHECK-NEXT:    %21 = arith.index_cast %20 : index to i64
// CHECK-NEXT:    %22 = kernel.compare "sge" %21, %0 : i64 -> i1
// CHECK-NEXT:    %23 = kernel.compare "slt" %21, %1 : i64 -> i1
// CHECK-NEXT:    %24 = arith.andi %22, %23 : i1
// CHECK-NEXT:    scf.if %24 {
// CHECK-NEXT:    scf.for %25 = %5 to %6 step %5 {
// CHECK-NEXT:    %26 = arith.muli %20, %2 : index
// CHECK-NEXT:    %27 = arith.addi %26, %25 : index
// CHECK-NEXT:    %28 = arith.addi %27, %3 : index
// CHECK-NEXT:    %29 = vector.load %18[%28] : memref<3844xf32>, vector<8xf32>
// CHECK-NEXT:    %30 = arith.negf %29 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    %31 = arith.muli %20, %4 : index
// CHECK-NEXT:    %32 = arith.addi %31, %25 : index
// CHECK-NEXT:    vector.store %30, %19[%32] : memref<4096xf32>, vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %33 = arith.index_cast %7 : index to i64
// CHECK-NEXT:    %34 = vector.broadcast %33 : i64 to vector<8xi64>
// CHECK-NEXT:    %35 = arith.addi %34, %8 : vector<8xi64>
// CHECK-NEXT:    %36 = kernel.compare "ult" %35, %9 : vector<8xi64> -> vector<8xi1>
// CHECK-NEXT:    %37 = arith.muli %20, %2 : index
// CHECK-NEXT:    %38 = arith.addi %37, %3 : index
// CHECK-NEXT:    %39 = vector.maskedload %18[%38], %36, %10 : memref<3844xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
// CHECK-NEXT:    %40 = arith.xori %36, %11 : vector<8xi1>
// CHECK-NEXT:    %41 = kernel.select %36, %39, %10 : vector<8xi1>, vector<8xf32>
// CHECK-NEXT:    %42 = arith.negf %41 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    %43 = arith.muli %20, %4 : index
// CHECK-NEXT:    vector.store %42, %19[%43] : memref<4096xf32>, vector<8xf32>
// CHECK-NEXT:    %44 = arith.index_cast %13 : index to i64
// CHECK-NEXT:    %45 = vector.broadcast %44 : i64 to vector<8xi64>
// CHECK-NEXT:    %46 = arith.addi %45, %8 : vector<8xi64>
// CHECK-NEXT:    %47 = kernel.compare "ult" %46, %9 : vector<8xi64> -> vector<8xi1>
// CHECK-NEXT:    %48 = arith.muli %20, %2 : index
// CHECK-NEXT:    %49 = arith.addi %48, %14 : index
// CHECK-NEXT:    %50 = vector.maskedload %18[%49], %47, %10 : memref<3844xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
// CHECK-NEXT:    %51 = arith.xori %47, %11 : vector<8xi1>
// CHECK-NEXT:    %52 = kernel.select %47, %50, %10 : vector<8xi1>, vector<8xf32>
// CHECK-NEXT:    %53 = arith.negf %52 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    %54 = arith.muli %20, %4 : index
// CHECK-NEXT:    %55 = arith.addi %54, %6 : index
// CHECK-NEXT:    vector.store %53, %19[%55] : memref<4096xf32>, vector<8xf32>
// CHECK-NEXT:    } else {
// CHECK-NEXT:    scf.for %56 = %16 to %4 step %5 {
// CHECK-NEXT:    %57 = arith.addi %20, %7 : index
// CHECK-NEXT:    %58 = arith.index_cast %57 : index to i64
// CHECK-NEXT:    %59 = kernel.compare "ult" %58, %15 : i64 -> i1
// CHECK-NEXT:    %60 = arith.addi %56, %7 : index
// CHECK-NEXT:    %61 = arith.index_cast %60 : index to i64
// CHECK-NEXT:    %62 = vector.broadcast %61 : i64 to vector<8xi64>
// CHECK-NEXT:    %63 = arith.addi %62, %8 : vector<8xi64>
// CHECK-NEXT:    %64 = kernel.compare "ult" %63, %9 : vector<8xi64> -> vector<8xi1>
// CHECK-NEXT:    %65 = scf.if %59 -> (vector<8xf32>) {
// CHECK-NEXT:    %66 = arith.muli %20, %2 : index
// CHECK-NEXT:    %67 = arith.addi %66, %56 : index
// CHECK-NEXT:    %68 = arith.addi %67, %3 : index
// CHECK-NEXT:    %69 = vector.maskedload %18[%68], %64, %10 : memref<3844xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
// CHECK-NEXT:    %70 = arith.xori %64, %11 : vector<8xi1>
// CHECK-NEXT:    %71 = kernel.select %64, %69, %10 : vector<8xi1>, vector<8xf32>
// CHECK-NEXT:    scf.yield %71 : vector<8xf32>
// CHECK-NEXT:    } else {
// CHECK-NEXT:    scf.yield %10 : vector<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    %72 = arith.negf %65 fastmath<contract> : vector<8xf32>
// CHECK-NEXT:    %73 = arith.muli %20, %4 : index
// CHECK-NEXT:    %74 = arith.addi %73, %56 : index
// CHECK-NEXT:    vector.store %72, %19[%74] : memref<4096xf32>, vector<8xf32>
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
