"""Inverses, determinants, exponentials, equations, factors and spectra of matrices, as torch.linalg has them.

Differentials: Magnus and Neudecker 1988; of the exponential: Van Loan 1978; of factors and spectra: Giles 2008; of the
pseudoinverse: Golub and Pereyra 1973.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer.kinds._matrices import Matrix, Names, OfMatrices, kind_of
from visualizer.language import english, tr

Settings = Mapping[str, Any]


# --- inverses and equations -------------------------------------------------------------------------------------------

def _inverse_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    return -made @ moved @ made


def _pseudo_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    rows, columns = np.eye(len(a)) - a @ made, np.eye(len(made)) - made @ a
    return -made @ moved @ made + made @ made.T @ moved.T @ rows + columns @ moved.T @ made.T @ made


def _solved(a: Matrix, b: Matrix, s: Settings) -> Matrix:
    if s.get("left", True):
        return np.linalg.solve(a, b)
    return np.linalg.solve(a.T, b.T).T


def _solved_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, b: Matrix, s: Settings) -> Matrix:
    """A·X = B, so that A·dX = dB − dA·X."""
    if which:
        return _solved(a, moved, s)
    return -_solved(a, moved @ made if s.get("left", True) else made @ moved, s)


def _triangle(s: Settings, a: Matrix, slopes: bool = False) -> Matrix:
    """What is looked at of a matrix of which only a triangle counts; of its movement no diagonal of ones."""
    whole = bool(s.get("unitriangular"))
    kept = np.triu(a, int(whole)) if s.get("upper") else np.tril(a, -int(whole))
    return kept + np.eye(len(a)) if whole and not slopes else kept


def _triangle_solved(a: Matrix, b: Matrix, s: Settings) -> Matrix:
    return _solved(_triangle(s, a), b, s)


def _triangle_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, b: Matrix, s: Settings) -> Matrix:
    return _solved_moves(which, moved if which else _triangle(s, moved, slopes=True), made, _triangle(s, a), b, s)


def _triangle_seen(which: int, matrix: Matrix, s: Settings) -> Any:
    return None if which else _triangle(s, np.ones_like(matrix), slopes=True) != 0


def _by_factor(b: Matrix, factor: Matrix, s: Settings) -> Matrix:
    """(L·Lᵀ)⁻¹·B."""
    return np.linalg.solve(_square_of(factor, s), b)


def _square_of(factor: Matrix, s: Settings) -> Matrix:
    kept = _triangle(s, factor)
    return kept.T @ kept if s.get("upper") else kept @ kept.T


def _square_moves(moved: Matrix, factor: Matrix, s: Settings) -> Matrix:
    """torch hands something back to the other triangle too, as though L were looked at as it stands."""
    kept = _triangle(s, factor)
    half = moved.T @ kept if s.get("upper") else moved @ kept.T
    return half + half.T


def _by_factor_moves(which: int, moved: Matrix, made: Matrix, b: Matrix, factor: Matrix, s: Settings) -> Matrix:
    if which == 0:
        return _by_factor(moved, factor, s)
    return -_by_factor(_square_moves(moved, factor, s) @ made, factor, s)


def _factor_seen(which: int, matrix: Matrix, s: Settings) -> Any:
    return _triangle(s, np.ones_like(matrix)) != 0 if which else None


def _inverse_by_factor(factor: Matrix, s: Settings) -> Matrix:
    return np.linalg.inv(_square_of(factor, s))


def _inverse_by_factor_moves(which: int, moved: Matrix, made: Matrix, factor: Matrix, s: Settings) -> Matrix:
    return -made @ _square_moves(moved, factor, s) @ made


# --- determinants -----------------------------------------------------------------------------------------------------

def _determinant_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    """tr(adj A · dA), the adjugate from singular values, so that it is there for a singular matrix too."""
    u, sizes, vh = np.linalg.svd(a)
    others = np.array([np.prod(np.delete(sizes, number)) for number in range(len(sizes))])
    adjugate = np.linalg.det(u) * np.linalg.det(vh) * (vh.T * others) @ u.T
    return np.asarray(np.trace(adjugate @ moved))


def _size_of_determinant(a: Matrix, s: Settings) -> Matrix:
    sign, size = np.linalg.slogdet(a)
    if "part" not in s:
        return np.asarray(sign)
    return np.asarray(size)


def _size_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    return np.asarray(np.trace(np.linalg.solve(a, moved)) if "part" in s else 0.0)


def _logarithm_of_determinant(a: Matrix, s: Settings) -> Matrix:
    sign, size = np.linalg.slogdet(a)
    return np.asarray(size if sign > 0 else -np.inf if sign == 0 else np.nan)


# --- powers -----------------------------------------------------------------------------------------------------------

def _exponential(a: Matrix, s: Settings) -> Matrix:
    """Σ Aⁿ/n!, of a matrix that is halved until its norm is below ½, and squared as often."""
    halvings = max(0, int(np.ceil(np.log2(max(float(np.abs(a).sum(axis=1).max(initial=0.0)), 1e-300)))) + 1)
    small = a / 2.0 ** halvings
    term = total = np.eye(len(a))
    for number in range(1, 19):  # 0.5 ** 18 / 18! is below the last digit of float64
        term = term @ small / number
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


def _exponential_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    """The upper right block of exp [[A, dA], [0, A]]."""
    size = len(a)
    return _exponential(np.block([[a, moved], [np.zeros_like(a), a]]), s)[:size, size:]


def _power(a: Matrix, s: Settings) -> Matrix:
    return np.linalg.matrix_power(a, int(s["n"]))


def _power_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    """Σ Aⁱ·dA·Aⁿ⁻¹⁻ⁱ; of a negative power the same of the inverse."""
    count = int(s["n"])
    base, change = (a, moved) if count >= 0 else (np.linalg.inv(a), -np.linalg.inv(a) @ moved @ np.linalg.inv(a))
    parts = [np.linalg.matrix_power(base, i) @ change @ np.linalg.matrix_power(base, abs(count) - 1 - i)
             for i in range(abs(count))]
    return np.sum(parts, axis=0) if parts else np.zeros_like(a)


# --- factors ----------------------------------------------------------------------------------------------------------

def _cholesky(a: Matrix, s: Settings) -> Matrix:
    """Of the symmetric matrix whose one triangle is looked at."""
    half = np.triu(a, 1).T if s.get("upper") else np.tril(a, -1)
    lower = np.linalg.cholesky(half + half.T + np.diag(np.diag(a)))
    return lower.T if s.get("upper") else lower


def _cholesky_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    """dL = L·Φ(L⁻¹·dA·L⁻ᵀ): Φ takes the lower triangle and half of the diagonal. torch shares what comes back between
    the two triangles, as though both were looked at."""
    lower = made.T if s.get("upper") else made
    change = np.linalg.solve(lower, np.linalg.solve(lower, (moved + moved.T) / 2).T).T
    found = lower @ (np.tril(change) - np.diag(np.diag(change)) / 2)
    return found.T if s.get("upper") else found


def _qr(a: Matrix, s: Settings) -> Matrix:
    """Q, with as many columns as it has to have; R is its other part."""
    mode = s.get("mode", "reduced" if s.get("some", True) else "complete")
    if mode == "r":
        raise LookupError(tr("R alone cannot be differentiated, which is not explained."))
    q, r = np.linalg.qr(a, "complete" if mode == "complete" else "reduced")
    return r if "part" in s else q


def _qr_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    """Qᵀ·dA·R⁻¹ is what turns Q, below its diagonal, and what changes R, above it; of a wide matrix its square part
    turns Q."""
    size = min(a.shape)
    q, r = np.linalg.qr(a)
    flips = _flips(made, r if "part" in s else q, rows="part" in s)
    q, r = q * flips, r * flips[:, None]
    if (r.shape if "part" in s else q.shape) != made.shape:
        raise LookupError(tr("A Q with more columns than it needs cannot be differentiated."))
    square = r[:, :size]
    turned = np.linalg.solve(square.T, (q.T @ moved[:, :size]).T).T
    skew = np.tril(turned, -1) - np.tril(turned, -1).T
    beside = np.linalg.solve(square.T, (moved[:, :size] - q @ q.T @ moved[:, :size]).T).T
    change = q @ skew + beside
    if "part" not in s:
        return change
    return np.concatenate([(turned - skew) @ square, change.T @ a[:, size:] + q.T @ moved[:, size:]], axis=1)


def _signs_of_rows(made: Matrix, there: Matrix, s: Settings) -> Matrix:
    """A column of Q and the row of R with it may have either sign."""
    rows = "part" in s
    flips = _flips(there, made, rows)
    return made * (flips[:, None] if rows else flips)


def _flips(there: Matrix, made: Matrix, rows: bool) -> Matrix:
    """1 or −1 for each row or column: which way round torch has it."""
    along = np.sum(there * made, axis=1 if rows else 0) if there.shape == made.shape else np.ones(
        made.shape[0 if rows else 1])
    return np.where(along < 0, -1.0, 1.0)


# --- spectra ----------------------------------------------------------------------------------------------------------

def _symmetric(a: Matrix, s: Settings) -> Matrix:
    """The symmetric matrix whose one triangle is looked at."""
    half = np.triu(a, 1).T if str(s.get("UPLO", "L")) == "U" else np.tril(a, -1)
    return half + half.T + np.diag(np.diag(a))


def _spectrum(a: Matrix, s: Settings) -> Matrix:
    found = np.linalg.eigh(_symmetric(a, s))
    return found.eigenvectors if s.get("part") == 1 else found.eigenvalues


def _spectrum_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    """dλ = vᵀ·dA·v, and dV = V·(F ∘ Vᵀ·dA·V) with F = 1 / (λⱼ − λᵢ)."""
    sizes, vectors = np.linalg.eigh(_symmetric(a, s))
    if s.get("part") != 1:
        return np.einsum("ik,ij,jk->k", vectors, moved, vectors)
    vectors = vectors * _flips(made, vectors, rows=False)
    return vectors @ (_apart(sizes) * (vectors.T @ (moved + moved.T) @ vectors / 2))


def _apart(sizes: Matrix) -> Matrix:
    """1 / (sⱼ − sᵢ), and 0 where i is j."""
    between = sizes[None, :] - sizes[:, None]
    np.fill_diagonal(between, np.inf)
    return 1 / between


def _signs_of_vectors(made: Matrix, there: Matrix, s: Settings) -> Matrix:
    """An eigenvector may have either sign."""
    return made if s.get("part") != 1 else made * _flips(there, made, rows=False)


def _singular_values(a: Matrix, s: Settings) -> Matrix:
    return np.linalg.svd(a, compute_uv=False)


def _singular_values_move(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.einsum("ik,ij,kj->k", u, moved, vh)


def _singular(a: Matrix, s: Settings) -> Matrix:
    u, sizes, vh = np.linalg.svd(a, full_matrices=bool(s.get("full_matrices", True)))
    return (u, sizes, vh)[int(s.get("part", 0))]


def _singular_moves(which: int, moved: Matrix, made: Matrix, a: Matrix, s: Settings) -> Matrix:
    """dU = U·(F ∘ (dP·S + S·dPᵀ)) + (1 − U·Uᵀ)·dA·V·S⁻¹ with dP = Uᵀ·dA·V and F = 1 / (sⱼ² − sᵢ²); dV the same of
    Aᵀ."""
    part = int(s.get("part", 0))
    if part == 1:
        return _singular_values_move(which, moved, made, a, s)
    u, sizes, vh = np.linalg.svd(a, full_matrices=False)
    if (u, sizes, vh)[part].shape != made.shape:
        raise LookupError(tr("Singular vectors beyond those that have a value cannot be differentiated."))
    flips = _flips(made, u, rows=False) if part == 0 else _flips(made, vh, rows=True)
    u, v, change = u * flips, (vh * flips[:, None]).T, moved
    if part == 2:
        u, v, change = v, u, moved.T
    inner = u.T @ change @ v
    found = u @ (_apart(sizes ** 2) * (inner * sizes + (inner * sizes).T)) \
        + (change - u @ u.T @ change) @ v / sizes
    return found.T if part == 2 else found


def _signs_of_singular(made: Matrix, there: Matrix, s: Settings) -> Matrix:
    part = int(s.get("part", 0))
    if part == 1:
        return made
    flips = _flips(there, made, rows=part == 2)
    return made * (flips[:, None] if part == 2 else flips)


# --- the kinds --------------------------------------------------------------------------------------------------------

def _of_right(inputs: tuple[Names, ...], count: int) -> Names:
    return inputs[-1]


def _of_mirror(inputs: tuple[Names, ...], count: int) -> Names:
    return (*inputs[0][:-2], *inputs[0][:-3:-1])


INPUT = "input"
MATRICES = (
    OfMatrices("inverse", english("inverse"), dict.fromkeys(("linalg_inv", "inverse"), INPUT),
               english("The matrix that undoes {source}: their product is 1 on the diagonal and 0 elsewhere. Its "
                       "numbers lie {spread}."), lambda a, s: np.linalg.inv(a), _inverse_moves, "Y = A⁻¹",
               "∂L/∂A = −A⁻ᵀ·∂L/∂Y·A⁻ᵀ"),
    OfMatrices("pseudoinverse", english("pseudoinverse"), dict.fromkeys(("linalg_pinv", "pinverse"), INPUT),
               english("The matrix that undoes {source} as nearly as can be: {before} becomes {after}."),
               lambda a, s: np.linalg.pinv(a), _pseudo_moves, "Y = A⁺", "∂L/∂A = Σ ∂L/∂Y·∂A⁺/∂A",
               axes=_of_mirror),
    OfMatrices("solution", english("solution of equations"), {"linalg_solve": "input other left"},
               english("What the first has to be multiplied by to make the second of {source}: values lie {spread}."),
               _solved, _solved_moves, "A·Y = B", "∂L/∂B = A⁻ᵀ·∂L/∂Y, ∂L/∂A = −∂L/∂B·Yᵀ", axes=_of_right,
               vectors=True),
    OfMatrices("triangular_solution", english("solution of equations"),
               {"linalg_solve_triangular": "input other upper left unitriangular"},
               english("What the triangle of the first has to be multiplied by to make the second of {source}: values "
                       "lie {spread}."), _triangle_solved, _triangle_moves, "A·Y = B",
               "∂L/∂B = A⁻ᵀ·∂L/∂Y, ∂L/∂A = −∂L/∂B·Yᵀ", axes=_of_right, counts=_triangle_seen),
    OfMatrices("cholesky_solution", english("solution of equations"), {"cholesky_solve": "input other upper"},
               english("The solution of equations whose matrix is the second of {source} times its mirror image: "
                       "values lie {spread}."), _by_factor, _by_factor_moves, "L·Lᵀ·Y = B",
               "∂L/∂B = (L·Lᵀ)⁻¹·∂L/∂Y", counts=_factor_seen),
    OfMatrices("inverse_by_factor", english("inverse"), {"cholesky_inverse": "input upper"},
               english("The inverse of {source} times its mirror image: values lie {spread}."), _inverse_by_factor,
               _inverse_by_factor_moves, "Y = (L·Lᵀ)⁻¹", "∂L/∂L = −(Y·(∂L/∂Y + ∂L/∂Yᵀ)·Y)·L",
               counts=lambda which, matrix, s: _factor_seen(1, matrix, s)),
    OfMatrices("determinant", english("determinant"), dict.fromkeys(("linalg_det", "det"), INPUT),
               english("By how much {source} stretches a volume: {loss}."), lambda a, s: np.asarray(np.linalg.det(a)),
               _determinant_moves, "y = det A", "∂L/∂A = ∂L/∂y·det A·A⁻ᵀ"),
    OfMatrices("size_of_determinant", english("determinant"), dict.fromkeys(("linalg_slogdet", "slogdet"), INPUT),
               english("By how much {source} stretches a volume, as a sign and the logarithm of its size; this one is "
                       "{loss}."), _size_of_determinant, _size_moves, english("y = sign of det A, or ln |det A|"),
               "∂L/∂A = ∂L/∂y·A⁻ᵀ"),
    OfMatrices("logarithm_of_determinant", english("logarithm of a determinant"), {"logdet": INPUT},
               english("The logarithm of how much {source} stretches a volume: {loss}."), _logarithm_of_determinant,
               lambda which, moved, made, a, s: np.asarray(np.trace(np.linalg.solve(a, moved))), "y = ln det A",
               "∂L/∂A = ∂L/∂y·A⁻ᵀ"),
    OfMatrices("matrix_exponential", english("exponential of a matrix"),
               dict.fromkeys(("matrix_exp", "linalg_matrix_exp"), INPUT),
               english("The exponential of {source}, a sum over all powers of the matrix: values lie {spread}."),
               _exponential, _exponential_moves, "Y = Σ Aⁿ / n!", "∂L/∂A = Σ ∂L/∂Y·∂eᴬ/∂A"),
    OfMatrices("matrix_power", english("power of a matrix"),
               dict.fromkeys(("linalg_matrix_power", "matrix_power"), "input n"),
               english("{source} is multiplied with itself again and again: values lie {spread}."), _power,
               _power_moves, "Y = A·A·…", "∂L/∂A = Σ (Aᵀ)ⁱ·∂L/∂Y·(Aᵀ)ⁿ⁻¹⁻ⁱ"),
    OfMatrices("cholesky", english("Cholesky factor"), dict.fromkeys(("linalg_cholesky", "cholesky"), "input upper"),
               english("The triangle that makes {source} when it is multiplied with its mirror image: values lie "
                       "{spread}."), _cholesky, _cholesky_moves, "L·Lᵀ = A", "∂L/∂A = L⁻ᵀ·Φ(Lᵀ·∂L/∂L)·L⁻¹"),
    OfMatrices("qr", english("QR factor"), {"linalg_qr": "input mode", "qr": "input some"},
               english("{source} is written as a turn Q times a triangle R, and this is one of them: {before} becomes "
                       "{after}."), _qr, _qr_moves, "Q·R = A", "∂L/∂A = Σ ∂L/∂Y·∂Y/∂A",
               signs=_signs_of_rows),
    OfMatrices("eigenvalues", english("eigenvalues"), {"linalg_eigvalsh": "input UPLO", "linalg_eigh": "input UPLO"},
               english("By how much {source} stretches each of its own directions, or these directions: values lie "
                       "{spread}."), _spectrum, _spectrum_moves, "A·v = λ·v", "∂L/∂A = Σ ∂L/∂λ·v·vᵀ",
               signs=_signs_of_vectors),
    OfMatrices("singular_values", english("singular values"), {"linalg_svdvals": INPUT},
               english("How long {source} makes the axes of a unit ball, the longest first: values lie {spread}."),
               _singular_values, _singular_values_move, "A = U·S·Vᵀ, y = S", "∂L/∂A = Σ ∂L/∂s·u·vᵀ"),
    OfMatrices("singular_decomposition", english("singular value decomposition"),
               {"linalg_svd": "input full_matrices"},
               english("{source} is written as a turn, a stretch along the axes, and another turn; this is one of "
                       "them: {before} becomes {after}."), _singular, _singular_moves, "A = U·S·Vᵀ",
               "∂L/∂A = Σ ∂L/∂Y·∂Y/∂A", signs=_signs_of_singular),
)
KINDS = tuple(map(kind_of, MATRICES))
