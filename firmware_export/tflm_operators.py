"""Which operators a .tflite file uses, and how a TFLite Micro resolver is given exactly these."""

from __future__ import annotations

from psog.errors import ModelError

_CALLS = {
    "CONV_2D": "AddConv2D",
    "FULLY_CONNECTED": "AddFullyConnected",
    "DEQUANTIZE": "AddDequantize",
}
"""Methods of MicroMutableOpResolver by operator: what a psog network is made of."""


def resolver_calls(tflite: bytes) -> list[str]:
    """The methods that a resolver of the file `tflite` needs, each once, in the file's order.

    Raises:
        ModelError: the file uses an operator that psog's application does not know.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    used = [names.get(code.builtinCode, str(code.builtinCode)) for code in model.operatorCodes]
    for name in used:
        if name not in _CALLS:
            raise ModelError(
                f"cannot write a TFLite Micro application: the network uses the operator {name}, "
                f"expected {', '.join(_CALLS)} only; make the file with psog export"
            )
    return [_CALLS[name] for name in used]
