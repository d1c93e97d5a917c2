"""Lowering: kernels become LLVM IR."""
