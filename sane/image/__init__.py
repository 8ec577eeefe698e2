"""Pixel kernels and image decoders."""
