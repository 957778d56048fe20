// RUN: gradatim-opt %s -p 'array-jacobian{function=f mode=forward argnums=0,1},array-canonicalize' | filecheck %s --check-prefix FORWARD
// RUN: gradatim-opt %s -p 'array-jacobian{function=f aux=1},array-canonicalize' | filecheck %s --check-prefix REVERSE
// RUN: gradatim-opt %s -p 'array-jacobian{function=g},array-canonicalize' | filecheck %s --check-prefix ONE

// One batch has the columns (forward mode) or rows of all Jacobians; the batch is where the result
// wants it, and what does not depend on the direction is computed once.

func.func @f(%x: tensor<3xf64>, %y: tensor<2xf64>) -> (tensor<3xf64>, tensor<2xf64>) {
  %s = array.sin %x : tensor<3xf64>
  %c = array.exp %y : tensor<2xf64>
  func.return %s, %c : tensor<3xf64>, tensor<2xf64>
}

// FORWARD-LABEL: func.func @f(%x: tensor<3xf64>, %y: tensor<2xf64>)
// FORWARD-SAME:    -> (tensor<3x3xf64>, tensor<3x2xf64>, tensor<2x3xf64>, tensor<2x2xf64>)
// FORWARD-DAG:     %[[I:.*]] = array.iota dim 0 : tensor<3x5xi32>
// FORWARD-DAG:     %[[J:.*]] = array.iota dim 1 : tensor<3x5xi32>
// FORWARD-DAG:     array.compare eq %[[I]], %[[J]]
// FORWARD-DAG:     %[[OFFSET:.*]] = array.constant dense<3> : tensor<2x5xi32>
// FORWARD-DAG:     array.add {{.*}}, %[[OFFSET]] : tensor<2x5xi32>
// FORWARD-DAG:     array.cos %x : tensor<3xf64>
// FORWARD-DAG:     array.exp %y : tensor<2xf64>
// FORWARD-NOT:     array.transpose
// FORWARD:         func.return

// REVERSE-LABEL: func.func @f(%x: tensor<3xf64>, %y: tensor<2xf64>) -> (tensor<3x3xf64>, tensor<2xf64>)
// REVERSE:         %[[HOT:.*]] = array.convert {{.*}} : tensor<3x3xi1> -> tensor<3x3xf64>
// REVERSE:         %[[C:.*]] = array.cos %x : tensor<3xf64>
// REVERSE:         %[[B:.*]] = array.broadcast %[[C]] dims [1] : tensor<3xf64> -> tensor<3x3xf64>
// REVERSE:         %[[J:.*]] = array.mul %[[HOT]], %[[B]]
// REVERSE:         func.return %[[J]], %{{.*}} : tensor<3x3xf64>, tensor<2xf64>

// The Jacobian of one number is its gradient, without a batch.

func.func @g(%x: tensor<3xf64>) -> tensor<f64> {
  %s = array.reduce add %x dims [0] : tensor<3xf64> -> tensor<f64>
  %e = array.exp %s : tensor<f64>
  func.return %e : tensor<f64>
}

// ONE-LABEL: func.func @g(%x: tensor<3xf64>) -> tensor<3xf64>
// ONE-NEXT:    %s = array.reduce add %x
// ONE-NEXT:    %e = array.exp %s : tensor<f64>
// ONE-NEXT:    %[[B:.*]] = array.broadcast %e dims []
// ONE-NEXT:    func.return %[[B]] : tensor<3xf64>
