"""Runs a tagger: a bundle on disk, ONNX Runtime and numpy, nothing else."""
