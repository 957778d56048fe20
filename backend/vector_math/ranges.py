"""Where the variable of a polynomial is moved or mapped, for its fit and its evaluation."""

# erfc(x) exp(x**2) (x + ERFC_POLE) is one in (x - ERFC_POLE) / (x + ERFC_POLE).
ERFC_POLE = 2.0
# erf_inv(x) / x is one in w - ERF_INV_CENTRE, w = -log(1 - x**2), up to twice the centre,
ERF_INV_CENTRE = 3.125
# and in sqrt(w) - ERF_INV_TAIL beyond, up to the w of the last number before x = 1.
ERF_INV_TAIL = {"f32": 3.25, "f64": 4.25}
ERF_INV_LARGEST = {"f32": 16.7, "f64": 36.8}
