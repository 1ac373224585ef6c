"""1 × 1 convolutions of int4 weights as matrix products: the form in which XNNPACK runs them.

XNNPACK takes int4 weights in FULLY_CONNECTED, not in CONV_2D, which is left to a kernel that
unpacks them at every call and splits the delegated graph in two. Both compute the same.
"""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tools.export.flatbuffer import FILE_IDENTIFIER, read_model

CONVOLUTION = schema.BuiltinOperator.CONV_2D
PRODUCT = schema.BuiltinOperator.FULLY_CONNECTED
PRODUCT_VERSION = 5
"""Version of FULLY_CONNECTED where a model has none of its own: the first for int8 and more
than two dimensions."""


def convolutions_to_products(content: bytes) -> bytes:
    """Return the same model with every 1 × 1 CONV_2D of int4 weights as FULLY_CONNECTED."""
    model = read_model(content)
    subgraph = model.subgraphs[0]
    product: int | None = None
    for operator in subgraph.operators:
        weights = subgraph.tensors[operator.inputs[1]] if len(operator.inputs) > 1 else None
        if is_convolution(model, operator) and is_matrix(operator.builtinOptions, weights):
            if product is None:
                product = product_code(model)
            become_product(operator, weights, product)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def is_convolution(model: Any, operator: Any) -> bool:
    """Whether an operator is CONV_2D."""
    code = model.operatorCodes[operator.opcodeIndex]
    return bool(max(code.builtinCode, code.deprecatedBuiltinCode) == CONVOLUTION)


def is_matrix(options: Any, weights: Any) -> bool:
    """Whether a convolution is a product of each place with one matrix of int4."""
    return bool(
        weights.type == schema.TensorType.INT4
        and list(weights.shape[1:3]) == [1, 1]
        and (options.strideH, options.strideW) == (1, 1)
    )


def product_code(model: Any) -> int:
    """Return the index of the operator code of FULLY_CONNECTED, added where there is none."""
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == PRODUCT:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = PRODUCT
    code.version = PRODUCT_VERSION
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def become_product(operator: Any, weights: Any, code: int) -> None:
    """Turn a convolution of weights [out, 1, 1, in] into a product with [out, in]."""
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = operator.builtinOptions.fusedActivationFunction
    options.keepNumDims = True
    operator.opcodeIndex = code
    operator.builtinOptions = options
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    weights.shape = np.array([weights.shape[0], weights.shape[3]], np.int32)
