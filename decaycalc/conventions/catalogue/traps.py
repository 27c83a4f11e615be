"""Traps that several records share, each named once."""

PRECONDITIONED = "the penalty passes through the preconditioner: λ then moves weights by about lr whatever its size"
FIXED_DECAY = "fixed_decay=True drops the lr"
MOSTLY_DECOUPLED = "coupled unless weight_decouple=True, while most of the package is decoupled"
LR_SQUARED = "times lr²/initial lr: under a schedule the decay falls as the square of the lr"
CAUTIOUS_STEP = "caution masks the step where it disagrees with the gradient, not the decay"
NO_FIRST_DECAY = "no decay on the first step, which only fills the preconditioner; 0.01 by default"
ADAMW_GROUPS = "the AdamW groups beside it have adamw_wd; the decay is times the lr before any adjustment to the shape"
LR_SQUARED_OF_CONSTRUCTOR = "times lr²/initial lr: as AdamW at the peak, the square of the schedule elsewhere; the constructor's lr counts as the peak"
FIRST_STEP_FREE = "no decay on the first step"
DECOUPLED_KERAS = "plain-name optimizers are decoupled in Keras: this is no L2 penalty; biases and norm gains decay too"
DECOUPLED_HERE = "decoupled by default here, coupled in torch_optimizer"
NO_HALF = "no half: the same number decays twice as much as an optimizer's weight_decay"
RELATIVE_STEP = (
    "with the defaults the decay is times min(1e-2, 1/√t)·max(eps2, RMS(w)), whatever lr says"
)
SLOW_START = "almost no decay at first, and none without gradients"
ZERO_BY_DEFAULT = "0 by default, PyTorch's AdamW is 0.01"
DAMPENED_FIRST = "the first buffer is dampened too, PyTorch's is not"
BEFORE_ADJUSTMENT = "the decay is times the lr before any adjustment to the matrix' shape; cautious_wd=True masks it by sign"
CAUTIOUS_ADAM = "a decay where update and weight agree in sign acts like 0.44 λ in mean square (AdamW, beta1 0.9, lr·λ 1e-3: simulated, 0.5 as lr·λ goes to 0, 0.37 at 5e-3)"
CAUTIOUS_MUON = "a decay where update and weight agree in sign acts like 0.37 λ in mean square (Muon, momentum 0.95, lr·λ 3e-3: simulated, 0.44 at 1e-3, 0.5 as it goes to 0)"
HYPERBALL = "the same rotation at AdamW's equilibrium, for scale-invariant matrices in noise: within 3 % of a simulation"
RULE_OF_THUMB = (
    "at beta1 0.9; the rule of thumb sqrt(lr·λ) is 3.1 times as large: 9.5 times the decay"
)
