"""A finished run's model for other programs: as a graph of tensors, or as a bundle of this zoo."""

FORMATS = ("bundle", "onnx", "torch")
"""What `zoo.export` writes: a bundle, or a graph."""

PRECISIONS = ("fp32", "fp16", "int8")
"""What an ONNX graph's numbers are kept in. bf16 is none of them: onnxruntime computes hardly
anything in it on processors."""
