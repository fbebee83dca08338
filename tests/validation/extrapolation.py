"""Steps of differential equations by extrapolation (Bulirsch and Stoer), in the digits that mpmath is set to."""
from mpmath import mpf


def midpoint(f, y, h, n):
    """Gragg's modified midpoint rule with n substeps."""
    d = h / n
    z0, z1 = y, [a + d * b for a, b in zip(y, f(y))]
    for _ in range(n - 1):
        z0, z1 = z1, [a + 2 * d * b for a, b in zip(z0, f(z1))]
    return [(a + b + d * c) / 2 for a, b, c in zip(z0, z1, f(z1))]


def extrapolated(f, y, h, columns):
    """One step of order 2 * columns, and its error: the last two values of the diagonal of Neville's scheme."""
    row = []
    for i in range(columns):
        n = 2 * (i + 1)
        new = [midpoint(f, y, h, n)]
        for j in range(i):
            ratio = (n / mpf(2 * (i - j))) ** 2 - 1
            new.append([a + (a - b) / ratio for a, b in zip(new[j], row[j])])
        row = new
    return row[-1], max(abs(a - b) for a, b in zip(row[-1], row[-2]))
