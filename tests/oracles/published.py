"""Printed numbers, with their source. Nothing here is computed."""

import json
from decimal import Decimal
from pathlib import Path

# Cohen, Malka, Ringel, "Learning curves for overparametrized deep neural networks: a field theory
# perspective", arXiv:1906.05301 (Phys. Rev. Research 3, 023034): depth 4, ReLU, d = 50, weight and
# bias variance 1, |x| = 1. Full digits where the paper's table was recomputed to that precision.
DEPTH, DIMENSION = 4, 50
EIGENVALUES = ("3.19371", "7.27579e-4", "6.19913e-6", "1.76142e-7", "8.34e-9")
TRIMMED = ("3.19371", "7.27389e-4", "5.98202e-6", "1.62038e-7")  # powers t^q, q <= 3
SERIES = ("3.19355", "0.0361507", "7.77662e-3", "3.79168e-3")  # b_0 .. b_3 of K = sum b_q t^q
TRACE, RIDGE = "3.2600", "0.01873"  # K(1), and the ridge of the trimmed kernel

# The same experiment, target power 1/2 at degrees 1 and 2, noiseless, no ridge.
SAMPLES = (100, 200, 400, 800, 1600, 3200)
PLANAR = ("0.7024", "0.5894", "0.4972", "0.4081", "0.3021", "0.1822")
EQUIVALENT_KERNEL = ("0.4905", "0.4483", "0.3950", "0.3177", "0.2191", "0.1223")
# exact regression: mean, and its standard error in units of the last digit printed
REGRESSION = (
    ("0.699", 7),
    ("0.587", 4),
    ("0.4956", 20),
    ("0.4092", 10),
    ("0.3056", 20),
    ("0.1849", 20),
)

# Prediction minus Monte Carlo, relative, Poisson number of samples: eigenvalues (1 + l)^-3 up to a
# last degree, normalised to K(1) = 1, G_1 = G_2 = 1. Own Monte Carlo, docs/theory.md.
# dimension, last degree, ridge, ((samples, planar, two-sample diagrams), ...)
CROSSING = (
    (5, 8, 0.01, ((20, -0.027, -0.009), (40, -0.040, -0.004), (80, -0.078, -0.008))),
    (3, 12, 0.05, ((5, -0.06, -0.004), (20, -0.23, -0.05), (80, -0.43, -0.15))),
)

# Crossing-connected set partitions of 0, 1, 2, ... sites: OEIS A099947; of 1, 2, ... sites with
# 1, 2, ... blocks: OEIS A324323.
CONNECTED_PARTITIONS = (1, 1, 1, 1, 2, 6, 21, 85, 385, 1907, 10205, 58455, 355884, 2290536)
CONNECTED_BY_BLOCKS = (
    (1,),
    (1,),
    (1,),
    (1, 1),
    (1, 5),
    (1, 16, 4),
    (1, 42, 42),
    (1, 99, 258, 27),
    (1, 219, 1222, 465),
)

# Critical exponents of the O(n) model in d = 4 - eps, coefficients of eps, eps^2, eps^3 at n, where
# zeta(3) is written z3. K. Wilson and M. Fisher, Phys. Rev. Lett. 28, 240 (1972); J. Zinn-Justin,
# Quantum Field Theory and Critical Phenomena, epsilon-expansion; H. Kleinert and V.
# Schulte-Frohlinde, Critical Properties of phi^4-Theories; H. Kleinert, J. Neu, V.
# Schulte-Frohlinde, K. Chetyrkin, S. Larin, Phys. Lett. B 272, 39 (1991), hep-th/9503230, where
# beta is that of g/(16 pi^2) and half of ours.
ETA = (
    "0",
    "(n + 2)/(2*(n + 8)**2)",
    "(n + 2)*(-n**2 + 56*n + 272)/(8*(n + 8)**4)",
)
INVERSE_NU = (
    "-(n + 2)/(n + 8)",
    "-(n + 2)*(13*n + 44)/(2*(n + 8)**3)",
    "(n + 2)*(3*n**3 - 452*n**2 - 2672*n - 5312 + 96*z3*(n + 8)*(5*n + 22))/(8*(n + 8)**5)",
)
NU = ("(n + 2)/(4*(n + 8))", "(n + 2)*(n**2 + 23*n + 60)/(8*(n + 8)**3)")
SUSCEPTIBILITY = ("(n + 2)/(2*(n + 8))", "(n + 2)*(n**2 + 22*n + 52)/(4*(n + 8)**3)")
OMEGA = (
    "1",
    "-3*(3*n + 14)/(n + 8)**2",
    "(33*n**3 + 538*n**2 + 4288*n + 9568 + 96*z3*(n + 8)*(5*n + 22))/(4*(n + 8)**4)",
)
# beta / g^2, g^3, g^4 and the anomalous dimensions, in units of g/(8 pi^2)
BETA = (
    "(n + 8)/6",
    "-(3*n + 14)/12",
    "(33*n**2 + 922*n + 2960 + 96*z3*(5*n + 22))/1728",
)
GAMMA_PHI = ("0", "(n + 2)/72", "-(n + 2)*(n + 8)/1728")
GAMMA_MASS = ("(n + 2)/6", "-5*(n + 2)/72", "(n + 2)*(5*n + 37)/288")
# nu and eta of the Ising model (n = 1) and of self-avoiding walks (n = 0), as printed
ISING = {"nu": ("1/2", "1/12", "7/162"), "eta": ("0", "0", "1/54", "109/5832")}
WALK = {"nu": ("1/2", "1/16", "15/512"), "eta": ("0", "0", "1/64", "17/1024")}

CURVES = json.loads(
    (Path(__file__).parents[1] / "reference" / "learning_curves.json").read_text(encoding="utf-8")
)


def last_place(text):
    """One unit in the last printed digit."""
    return float(Decimal(1).scaleb(Decimal(text).as_tuple().exponent))
