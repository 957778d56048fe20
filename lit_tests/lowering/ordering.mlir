// RUN: gradatim-opt %s -p kernel-lower-to-loops --split-input-file | filecheck %s

// One array is sorted by a routine.

func.func @sorted(%x: memref<3x100xf32>, %y: memref<3x100xf32>) {
  kernel.fusion ins(%a = %x : memref<3x100xf32>) outs(%y : memref<3x100xf32>) schedule<rows = [0]> {
    %s, %p = array.sort %a dim 1 keys 1 : tensor<3x100xf32> -> tensor<3x100xf32>, tensor<3x100xi64>
    kernel.yield %s : tensor<3x100xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @sorted
// CHECK:         [[SCRATCH:%.*]] = memref.alloca() : memref<50xi64>
// CHECK-NEXT:    scf.for
// CHECK:           func.call @gd.sort.f32({{.*}}) : (memref<?xf32, strided<[1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>, memref<?xi64, strided<[1], offset: ?>>, i64) -> ()

// -----

// Two keys make an order, the last one first, in which a third array is taken.

func.func @together(%x: memref<100xf64>, %y: memref<100xi8>, %z: memref<100xi1>, %p: memref<100xi64>, %w: memref<100xi1>) {
  kernel.fusion ins(%a = %x : memref<100xf64>, %b = %y : memref<100xi8>, %c = %z : memref<100xi1>) outs(%p : memref<100xi64>, %w : memref<100xi1>) schedule<rows = []> {
    %s, %t, %u, %v = array.sort %a, %b, %c dim 0 keys 2 : tensor<100xf64>, tensor<100xi8>, tensor<100xi1> -> tensor<100xf64>, tensor<100xi8>, tensor<100xi1>, tensor<100xi64>
    kernel.yield %v, %u : tensor<100xi64>, tensor<100xi1>
  }
  func.return
}

// CHECK-LABEL: func.func @together
// CHECK:         memref.alloca() : memref<200xi64>
// CHECK:         func.call @gd.order.i8
// CHECK:         func.call @gd.reorder.f64
// CHECK:         func.call @gd.take.bool
// CHECK-NOT:     func.call

// -----

// Lines across rows are copied, some neighbours at a time.

func.func @columns(%x: memref<1000x10xf32>, %y: memref<1000x10xf32>) {
  kernel.fusion ins(%a = %x : memref<1000x10xf32>) outs(%y : memref<1000x10xf32>) schedule<rows = [1]> {
    %s, %p = array.sort %a dim 0 keys 1 : tensor<1000x10xf32> -> tensor<1000x10xf32>, tensor<1000x10xi64>
    kernel.yield %s : tensor<1000x10xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @columns
// CHECK-NEXT:    %arena = memref.alloc() {{.*}} : memref<64000xi8>
// CHECK:         memref.alloca() : memref<500xi64>
// CHECK:         memref.view %arena[{{.*}} to memref<8000xf32>
// CHECK:         memref.view %arena[{{.*}} to memref<8000xf32>
// CHECK:         arith.minsi
// CHECK:         memref.load {{.*}} : memref<10000xf32>
// CHECK:         memref.store {{.*}} : memref<8000xf32>
// CHECK:         func.call @gd.sort.f32
// CHECK:         memref.load {{.*}} : memref<8000xf32>
// CHECK:         memref.store {{.*}} : memref<10000xf32>
// CHECK:         memref.dealloc

// -----

// Many short lines are sorted side by side, here with another array.

func.func @short(%x: memref<10x20xf32>, %y: memref<10x20xi8>, %z: memref<10x20xi8>) {
  kernel.fusion ins(%a = %x : memref<10x20xf32>, %b = %y : memref<10x20xi8>) outs(%z : memref<10x20xi8>) schedule<rows = [0]> {
    %s, %t, %p = array.sort %a, %b dim 1 keys 1 : tensor<10x20xf32>, tensor<10x20xi8> -> tensor<10x20xf32>, tensor<10x20xi8>, tensor<10x20xi64>
    kernel.yield %t : tensor<10x20xi8>
  }
  func.return
}

// CHECK-LABEL: func.func @short
// CHECK:         memref.alloca() : memref<200xi64>
// CHECK:         func.call @gd.order_lanes.f32
// CHECK:         func.call @gd.take_lanes.i8

// -----

func.func @parallel(%x: memref<2000x64xf32>, %y: memref<2000x64xf32>) {
  kernel.fusion ins(%a = %x : memref<2000x64xf32>) outs(%y : memref<2000x64xf32>) schedule<rows = [0], parallel = [0]> {
    %s, %p = array.sort %a dim 1 keys 1 : tensor<2000x64xf32> -> tensor<2000x64xf32>, tensor<2000x64xi64>
    kernel.yield %s : tensor<2000x64xf32>
  }
  func.return
}

// CHECK-LABEL: func.func @parallel
// CHECK:         scf.parallel
// CHECK:           scf.for
// CHECK:             func.call @gd.sort.f32
