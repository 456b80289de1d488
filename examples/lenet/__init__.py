"""LeNet-5 on real images of handwritten digits."""
