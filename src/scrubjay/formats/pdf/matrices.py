"""Six numbers that place things on a page: `(a, b, c, d, e, f)`, as PDF writes them."""

from __future__ import annotations

import math

Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
UNIT: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def times(one: Matrix, other: Matrix) -> Matrix:
    """First one, then the other."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


def at(matrix: Matrix, x: float, y: float) -> Point:
    """Where a point comes to lie."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def box(matrix: Matrix, left: float, bottom: float, right: float, top: float) -> Quad:
    """A rectangle's corners: top left, top right, bottom right, bottom left."""
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    a, b, c, d = (at(matrix, x, y) for x, y in corners)
    return a, b, c, d


def back(matrix: Matrix) -> Matrix:
    """The matrix that undoes one; ZeroDivisionError for one that flattens."""
    a, b, c, d, e, f = matrix
    size = a * d - b * c
    a, b, c, d = d / size, -b / size, -c / size, a / size
    return a, b, c, d, -(e * a + f * c), -(e * b + f * d)


def inside(point: Point, quad: Quad) -> bool:
    """Whether a point lies in a convex quad."""
    sides = [
        (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)
        for (ax, ay), (bx, by) in zip(quad, (*quad[1:], quad[0]), strict=True)
    ]
    return all(side >= 0 for side in sides) or all(side <= 0 for side in sides)


def turn(matrix: Matrix) -> int:
    """The direction of its x axis in degrees, to the next 15."""
    return round(math.degrees(math.atan2(matrix[1], matrix[0])) / 15) * 15
