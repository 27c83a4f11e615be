"""The monomials that most records share: a penalty with and without the half, a decay with lr."""

from decaycalc.algebra.quantity import Monomial

HALF_PENALTY = Monomial.of(1, value=1, loss_scale=-1)
"""λ·w joins the gradient of the user's own loss: the penalty is (λ/2)·Σw²."""

FULL_PENALTY = Monomial.of(2, value=1, loss_scale=-1)
"""λ·Σw² without the half joins the user's own loss, whose gradient is 2λ·w."""

TIMES_LR = Monomial.of(1, value=1, lr=1)
"""A step removes lr·λ of the weight."""

PLAIN = Monomial.of(1, value=1)
"""A step (at peak lr) removes λ of the weight; or λ is the strength itself."""

INVERSE_C = Monomial.of(1, value=-1, dataset_size=-1)
"""C times the loss summed over the data set, plus half of Σw²: the strength is 1/(C·N)."""

TENSOR_MULTIPLIERS = (("lr_mult", Monomial.of(1)), ("decay_mult", Monomial.of(decay_mult=1)))
"""A tensor may have multipliers of its own; lr_mult multiplies data and decay alike."""

CONSTRUCTOR_LR = (("lr_initial", Monomial.of(lr=1, lr_initial=-1)),)
"""The schedule's multiplier counts from the constructor's lr, be it the peak or not."""
