#!/usr/bin/env python3
"""Writes engine/include/spinet/math_tables.hpp: the tables and polynomials of spinet/math.hpp, in 60-digit arithmetic.

Usage: python3 tools/tables/math_tables.py > engine/include/spinet/math_tables.hpp   (needs python3-mpmath)
"""
from mpmath import cos, factorial, log, lu_solve, matrix, mp, mpf, nint, pi

mp.dps = 60
EXP_BITS = 6        # 2^6 entries of 2^(j/64)
LOG_BITS = 7        # 2^7 sub-intervals of one binade
LOG_BELOW_1 = 76    # whole sub-intervals below the one that holds 1


def hexa(x):
    return float(x).hex()


def keep(x, digit):
    """x rounded to a multiple of 2^-digit."""
    return nint(x * mpf(2) ** digit) / mpf(2) ** digit


def fit(f, low, high, degree):
    """Coefficients, lowest first, of the polynomial that meets f at the Chebyshev points of [low, high]."""
    n = degree + 1
    xs = [cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    mid, half = (high + low) / 2, (high - low) / 2
    powers, values = matrix(n, n), matrix(n, 1)
    for i, x in enumerate(xs):
        t = mid + half * x
        values[i] = f(t)
        for k in range(n):
            powers[i, k] = t ** k
    return list(lu_solve(powers, values))


def series(terms):
    """The function with these Taylor coefficients (summed, so that nothing cancels near 0)."""
    return lambda t: sum(c * t ** k for k, c in enumerate(terms))


def array(name, values, doc):
    print(f"/// {doc}")
    print(f"inline constexpr double {name}[{len(values)}] = {{")
    for i in range(0, len(values), 4):
        print("    " + ", ".join(hexa(v) for v in values[i:i + 4]) + ",")
    print("};")


def main():
    print("// Tables of spinet/math.hpp.  Made by tools/tables/math_tables.py; do not edit.")
    print("#pragma once\n\nnamespace spinet::math::detail {\n")

    n = 1 << EXP_BITS
    print(f"inline constexpr int exp_bits = {EXP_BITS}, log_bits = {LOG_BITS};")
    print("/// ln 2 / 64 in two parts; the first has 35 bits, so that up to 2^17 times it is exact.")
    step = log(mpf(2)) / n
    high = keep(step, 41)
    print(f"inline constexpr double exp_step_high = {hexa(high)}, exp_step_low = {hexa(step - high)};")
    print(f"inline constexpr double exp_per_step = {hexa(1 / step)};")
    rows = []
    for j in range(n):
        exact = mpf(2) ** (mpf(j) / n)
        rows += [mpf(float(exact)), exact / mpf(float(exact)) - 1]
    array("exp_table", rows, "2^(j/64) rounded, and what is missing, relative to it.")
    half = step / 2 * mpf("1.01")
    array("exp_poly", fit(series([1 / factorial(k + 2) for k in range(40)]), -half, half, 3),
          "(exp(r) - 1 - r) / r^2 for |r| < ln 2 / 128.")
    quarter = mpf(1) / 4
    array("expm1_poly", fit(series([1 / factorial(k + 3) for k in range(40)]), -quarter, quarter, 9),
          "(exp(r) - 1 - r - r^2/2) / r^3 for |r| <= 1/4.")

    # Sub-interval i of [m0, 2 m0), as the upper bits of a double count it; the one that holds 1 has 1/c = 1.
    n = 1 << LOG_BITS
    width = mpf(2) ** -LOG_BITS
    def edge(i):  # lower edge of sub-interval i in units of value
        at = (i - LOG_BELOW_1 - mpf(2) / 3) * width  # in binades' fractions from 1; below 1 a step is half as long
        return 1 + at if at >= 0 else 1 + at / 2
    offset = (1023 << 52) - ((3 * LOG_BELOW_1 + 2) << (52 - LOG_BITS)) // 3
    print(f"/// Bits of the lowest double of the binade that logarithms are reduced to.")
    print(f"inline constexpr unsigned long long log_offset = {offset:#x};")
    ln2_high = keep(log(mpf(2)), 42)
    print(f"inline constexpr double ln2_high = {hexa(ln2_high)}, ln2_low = {hexa(log(mpf(2)) - ln2_high)};")
    rows, reach = [], mpf(0)
    for i in range(n):
        low, high = edge(i), edge(i + 1)
        # 1/c is short (a multiple of 2^-9, of 2^-8 above 1), so that the reduced argument needs no rounding.
        inverse = mpf(1) if i == LOG_BELOW_1 else keep(2 / (low + high), 8 if low < 1 else 9)
        reach = max(reach, abs(low * inverse - 1), abs(high * inverse - 1))
        log_c = -log(inverse)
        # The first sum, k ln 2 + ln c + r, takes its error from the larger summand.
        assert i == LOG_BELOW_1 or abs(log_c) > max(abs(low * inverse - 1), abs(high * inverse - 1))
        first = keep(log_c, 42)
        rows += [inverse, first, log_c - first]
    array("log_table", rows,
          "1/c, ln c in two parts; the first is a multiple of 2^-42, so that k ln2_high + ln c is exact.")
    array("log_poly", fit(series([mpf((-1) ** k) / (k + 3) for k in range(40)]), -reach, reach, 6),
          f"(log1p(r) - r + r^2/2) / r^3 for |r| < {float(reach):.4g}.")
    print("\n}  // namespace spinet::math::detail")


if __name__ == "__main__":
    main()
