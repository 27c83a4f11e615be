"""How many examples the data sets of several recipes hold."""

IMAGENET = 1_281_167  # ILSVRC 2012 training images, as its dataset cards count them
CIFAR = 50_000
