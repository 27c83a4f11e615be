"""The groups that conventions are listed in, where several families share one."""

JAX = "JAX"
STATISTICS = "scikit-learn and statistics"
TORCH_ECOSYSTEM = "PyTorch's ecosystem"
OTHERS = "Other frameworks"
