"""Where the variable of a polynomial is moved or mapped, for its fit and its evaluation."""

# erfc(x) exp(x**2) (x + ERFC_POLE) is one in (x - ERFC_POLE) / (x + ERFC_POLE).
ERFC_POLE = 2.0
# erf_inv(x) / x is one in w - ERF_INV_CENTRE, w = -log(1 - x**2), up to twice the centre,
ERF_INV_CENTRE = 3.125
# and in 1/sqrt(w) - ERF_INV_TAIL beyond.
ERF_INV_TAIL = 0.28125
