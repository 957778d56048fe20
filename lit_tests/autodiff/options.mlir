// RUN: gradatim-opt %s -p 'array-vjp{function=loss argnums=1,0 aux=1 seed=true value=false}' | filecheck %s --check-prefix GRAD
// RUN: gradatim-opt %s -p 'array-vjp{function=loss argnums=1 aux=1}' | filecheck %s --check-prefix VJP
// RUN: gradatim-opt %s -p 'array-jvp{function=loss argnums=1 aux=1}' | filecheck %s --check-prefix JVP
// RUN: gradatim-opt %s -p 'array-jvp' | filecheck %s --check-prefix ALL

// Calls are inlined; a function that others call stays beside as a private one.

func.func private @square(%a: tensor<f64>) -> tensor<f64> {
  %b = array.mul %a, %a : tensor<f64>
  func.return %b : tensor<f64>
}

func.func @loss(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
  %s = func.call @square(%x) : (tensor<f64>) -> tensor<f64>
  %z = array.mul %s, %y : tensor<f64>
  func.return %z, %s : tensor<f64>, tensor<f64>
}

func.func @caller(%x: tensor<f64>) -> tensor<f64> {
  %r:2 = func.call @loss(%x, %x) : (tensor<f64>, tensor<f64>) -> (tensor<f64>, tensor<f64>)
  func.return %r#0 : tensor<f64>
}

// GRAD-LABEL: func.func @loss(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>)
// GRAD-NEXT:    %b = array.mul %x, %x
// GRAD-NEXT:    %z = array.mul %b, %y
// GRAD-NEXT:    %[[ONE:.*]] = array.constant
// GRAD-NEXT:    %[[B:.*]] = array.mul %[[ONE]], %y
// GRAD-NEXT:    %[[Y:.*]] = array.mul %[[ONE]], %b
// GRAD-NEXT:    %[[LEFT:.*]] = array.mul %[[B]], %x
// GRAD-NEXT:    %[[RIGHT:.*]] = array.mul %[[B]], %x
// GRAD-NEXT:    %[[X:.*]] = array.add %[[LEFT]], %[[RIGHT]]
// GRAD-NEXT:    func.return %b, %[[Y]], %[[X]]
// GRAD-LABEL: func.func private @loss.primal(%x: tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// GRAD-LABEL: func.func @caller
// GRAD-NEXT:    func.call @loss.primal(%x, %x)

// VJP-LABEL: func.func @loss(%x: tensor<f64>, %y: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>)
// VJP-NEXT:    %b = array.mul %x, %x
// VJP-NEXT:    %z = array.mul %b, %y
// VJP-NEXT:    %[[Y:.*]] = array.mul %cotangent, %b
// VJP-NEXT:    func.return %z, %b, %[[Y]]

// JVP-LABEL: func.func @loss(%x: tensor<f64>, %y: tensor<f64>, %y_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>)
// JVP-NEXT:    %b = array.mul %x, %x
// JVP-NEXT:    %z = array.mul %b, %y
// JVP-NEXT:    %[[Z:.*]] = array.mul %y_tangent, %b
// JVP-NEXT:    func.return %z, %b, %[[Z]]

// ALL-NOT: private
// ALL-LABEL: func.func @loss(%x: tensor<f64>, %y: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>)
// ALL-LABEL: func.func @caller(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>)
// ALL-NOT: func.call
