"""Calls of torch, by the kind that explains them: a function of inputs that are made of a few sizes and a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from visualizer.record import capture
from visualizer.trace import Trace

LINE, PICTURE, VOLUME, TABLE = "line", "picture", "volume", "table"


@dataclass(frozen=True)
class Operation:
    """One call, and what it is given: `line` (6·n), `picture` (2, 2n, 2m), `volume` (2, 4, 2n, 4), `table` (n + 1,
    4)."""

    name: str
    """What is written, for the reader of a failure."""
    call: Callable[..., Tensor]
    given: tuple[str, ...] = (LINE,)
    kind: str = ""
    """The kind that explains it, if it is one step."""

    def __str__(self) -> str:
        return self.name


def op(kind: str, call: Callable[..., Any], *given: str, name: str = "") -> Operation:
    return Operation(name or kind, call, given or (LINE,), kind)


def steps(name: str, call: Callable[..., Any], *given: str) -> Operation:
    """A composite, which is recorded step by step."""
    return Operation(name, call, given or (LINE,))


class Model(nn.Module):
    """A call as a model; modules that it is given are parts of it."""

    def __init__(self, call: Callable[..., Any]) -> None:
        super().__init__()
        self.call = call
        held = getattr(call, "holds", ())
        self.parts = nn.ModuleList(held)

    def forward(self, *given: Tensor) -> Tensor:
        made = self.call(*given)
        return torch.flatten(made * 1.0 if not made.is_floating_point() else made)


def holding(call: Callable[..., Any], *parts: nn.Module) -> Callable[..., Any]:
    """A call together with the modules that it runs."""
    def run(*given: Tensor) -> Any:
        return call(*parts, *given)

    run.holds = parts  # type: ignore[attr-defined]
    return run


def given_to(operation: Operation, rows: int, columns: int, seed: int) -> tuple[Tensor, ...]:
    shapes = {LINE: (1, 6), PICTURE: (1, 2, 2 * rows, 2 * columns), VOLUME: (1, 2, 4, 2 * rows, 4),
              TABLE: (1, rows + 1, 4)}
    random = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shapes[shape], generator=random, dtype=torch.float64) for shape in operation.given)


def recorded_call(operation: Operation, rows: int = 2, columns: int = 2, seed: int = 0) -> Trace:
    """The call recorded in float64, with the gradient of the largest number that comes out."""
    torch.manual_seed(seed)
    model = Model(operation.call).double().eval()
    return capture(model, given_to(operation, rows, columns, seed))


def overwritten(write: Callable[..., Any]) -> Callable[..., Tensor]:
    """A call that writes into a copy of what it is given."""
    def call(x: Tensor, *others: Tensor) -> Tensor:
        x = x * 1
        write(x, *others)
        return x
    return call


def _zero(x: Tensor) -> None:
    x[:, 0] = 0.0


def _stretch(x: Tensor, y: Tensor) -> None:
    x[:, 1:3] = y[:, :2]


def _masked(x: Tensor) -> None:
    x[x > 0] = 1.0


def _by_places(x: Tensor, y: Tensor) -> None:
    x[:, torch.tensor([0, 2])] = y[:, 1:3]


def _signs(x: Tensor) -> Tensor:
    return torch.where(torch.arange(x.numel()).reshape(x.shape) % 2 == 0, 1.0, -1.0).to(x)


def _attention(**more: Any) -> Callable[[Tensor], Tensor]:
    def call(part: nn.Module, x: Tensor) -> Tensor:
        made: Tensor = part(x, x, x, **more)[0]
        return made
    return holding(call, nn.MultiheadAttention(4, 2, batch_first=True))


def _causal(x: Tensor) -> Tensor:
    return torch.ones(x.size(-2), x.size(-2)).triu(1).bool()


I = torch.tensor([[0, 2, 5]])  # noqa: E741
GRID = (torch.rand(1, 3, 2, 2, generator=torch.Generator().manual_seed(4)) * 3 - 1.5).double()
sdpa = F.scaled_dot_product_attention

FUNCTIONS = tuple(
    op(name, call) for name, call in (
        *((name, getattr(torch, name)) for name in (
            "expm1", "exp2", "sin", "cos", "tan", "atan", "sinh", "cosh", "erf", "erfc", "sign", "floor", "ceil",
            "round", "trunc", "frac", "deg2rad", "rad2deg", "sinc", "asinh", "nan_to_num")),
        ("log1p", lambda x: torch.log1p(x.abs())), ("log2", lambda x: torch.log2(x.abs())),
        ("log10", lambda x: torch.log10(x.abs())), ("rsqrt", lambda x: torch.rsqrt(x.abs())),
        ("asin", lambda x: torch.asin(x * 0.2)), ("acos", lambda x: torch.acos(x * 0.2)),
        ("acosh", lambda x: torch.acosh(x.abs() + 1.1)), ("atanh", lambda x: torch.atanh(x * 0.2)),
        ("log_odds", lambda x: torch.logit(x.sigmoid())), ("softshrink", F.softshrink), ("hardshrink", F.hardshrink),
        ("tanhshrink", F.tanhshrink), ("rrelu", F.rrelu), ("threshold", lambda x: F.threshold(x, 0.1, 20.0)),
        ("logical_not", lambda x: x * ~(x > 0)), ("isnan", lambda x: x * x.isnan()),
        ("isinf", lambda x: x * x.isinf()), ("isfinite", lambda x: x * x.isfinite()),
        ("cast", lambda x: x.float().double()), ("cast", lambda x: x * x.long()), ("cast", lambda x: x.half() * 2),
    ))
CHOICES = (
    op("gt", lambda x: x * (x > 0)), op("lt", lambda x: x * (x < 0)), op("ge", lambda x: x * (x >= 0)),
    op("le", lambda x: x * (x <= 0.5)), op("eq", lambda x: x * (x == x)), op("ne", lambda x: x * (x != 0)),
    op("logical_and", lambda x: x * ((x > 0) & (x < 1))), op("logical_or", lambda x: x * ((x > 0) | (x < -1))),
    op("logical_xor", lambda x: x * ((x > 0) ^ (x > 1))),
    op("where", lambda x: torch.where(x > 0, x, 2 * x)), op("where", lambda x: torch.where(x > 0, 1.5, x)),
    op("where", lambda x: x.where(x < 1, torch.zeros(()).double())),
    op("where", lambda x: (x > 0).where(x < 1, x > 2), name="where of truths"),
    op("sub", lambda x, y: torch.rsub(x, y), LINE, LINE, name="rsub"),
    op("sub", lambda x, y: torch.rsub(x, y, alpha=2), LINE, LINE, name="rsub of twice"),
    op("sub", lambda x: torch.rsub(x, 3.0, alpha=2), name="rsub from a number"),
    op("sub", lambda x, y: x.__rsub__(y), LINE, LINE, name="__rsub__"),
    op("div", lambda x, y: (x.exp() + 1).__rtruediv__(y), LINE, LINE, name="__rtruediv__"),
    op("power", lambda x, y: x.__rpow__(y.exp()), LINE, LINE, name="__rpow__"),
    op("masked_fill", lambda x: x.masked_fill(x > 0, 0.0)),
    op("minimum", torch.minimum, LINE, LINE), op("minimum", torch.min, LINE, LINE),
    op("maximum", torch.max, LINE, LINE), op("power", lambda x, y: x.abs() ** y, LINE, LINE),
    op("power", lambda x: 2 ** x), op("limits", lambda x: x.clamp(max=torch.full((6,), 0.5).double())),
    op("limits", lambda x, y: x.clamp(y, y + 1), LINE, LINE), op("lerp", lambda x, y: torch.lerp(x, y, x), LINE, LINE),
    op("addcmul", lambda x, y: torch.addcmul(x, x, y, value=0.5), LINE, LINE),
    op("addcdiv", lambda x, y: torch.addcdiv(x, x, y), LINE, LINE), op("remainder", lambda x: x % 0.7),
    op("fmod", lambda x: torch.fmod(x, 0.7)), op("floor_divide", lambda x: x * (x.detach() // 0.7)),
    op("logaddexp", torch.logaddexp, LINE, LINE), op("atan2", torch.atan2, LINE, LINE),
    op("hypot", torch.hypot, LINE, LINE), op("xlogy", lambda x, y: torch.xlogy(x, y.abs()), LINE, LINE),
)
LINES = (
    op("max", lambda x: x.max(1)[0], PICTURE), op("min", lambda x: x.min(2)[0], PICTURE), op("min", torch.min),
    op("amin", lambda x: x.amin(-1), PICTURE), op("argmax", lambda x: x * x.argmax(1, keepdim=True), PICTURE),
    op("argmin", lambda x: x * x.argmin()), op("topk", lambda x: torch.topk(x, 2, dim=2)[0], PICTURE),
    op("topk", lambda x: x[:, :2] * torch.topk(x, 2)[1]), op("sort", lambda x: x.sort(2, descending=True)[0], PICTURE),
    op("argsort", lambda x: x * x.argsort(1)), op("median", lambda x: x.median(2)[0], PICTURE),
    op("kthvalue", lambda x: x.kthvalue(2, 1)[0]), op("cummax", lambda x: x.cummax(1)[0]),
    op("cummin", lambda x: x.cummin(2)[0], PICTURE), op("var", lambda x: x.var((2, 3), unbiased=False), PICTURE),
    op("var", lambda x: torch.add(*torch.var_mean(x, 1))), op("std", lambda x: x.std(1)),
    op("std", lambda x: torch.std(x, dim=1, correction=0)), op("vector_norm", lambda x: x.norm(dim=1), PICTURE),
    op("vector_norm", lambda x: torch.linalg.vector_norm(x, 3, dim=(1, 2)), PICTURE),
    op("vector_norm", lambda x: torch.linalg.norm(x, float("inf"), dim=1)),
    op("pairwise_distance", F.pairwise_distance, LINE, LINE), op("dist", torch.dist, LINE, LINE),
    op("cdist", lambda x, y: torch.cdist(x, y), TABLE, TABLE), op("cdist", lambda x: torch.cdist(x, x * 2, p=1)),
    op("cosine_similarity", lambda x, y: F.cosine_similarity(x, y, dim=-1), TABLE, TABLE),
    op("cross", lambda x, y: torch.cross(x[:, :3], y[:, 3:], dim=1), LINE, LINE), op("prod", lambda x: x.prod(1)),
    op("cumprod", lambda x: x.cumprod(1)), op("cumsum", lambda x: x.cumsum(2), PICTURE),
    op("diff", lambda x: x.diff(2)), op("logsumexp", lambda x: x.logsumexp((1, 2)), PICTURE),
    op("logcumsumexp", lambda x: x.logcumsumexp(1)), op("glu", lambda x: F.glu(x, 2), PICTURE),
    op("any", lambda x: x * (x > 0).any(1)), op("all", lambda x: x * (x > 0).all()),
    op("count_nonzero", lambda x: x * x.count_nonzero()),
    op("weight_norm", holding(lambda part, x: part(x), nn.utils.parametrizations.weight_norm(nn.Linear(6, 3)))),
)
PLACES = (
    op("expand_as", lambda x: x.sum(1, keepdim=True).expand_as(x)), op("reshape_as", lambda x: x.view_as(x)),
    op("broadcast_to", lambda x: x[:, None].broadcast_to(1, 3, 6)),
    op("repeat_interleave", lambda x: x.repeat_interleave(2, 1)),
    op("repeat_by", lambda x: x.repeat_interleave(torch.tensor([0, 2]), 1), PICTURE),
    op("pixel_unshuffle", lambda x: F.pixel_unshuffle(x, 2), PICTURE),
    op("channel_shuffle", lambda x: F.channel_shuffle(x, 2), PICTURE), op("rot90", lambda x: x.rot90(1, (2, 3)),
        PICTURE),
    op("tril", torch.tril, TABLE), op("triu", lambda x: torch.triu(x, 1), TABLE),
    op("diagonal", lambda x: x.diagonal(dim1=1, dim2=2), TABLE), op("diag", lambda x: torch.diag(x[0], 1)),
    op("diag_embed", torch.diag_embed), op("sliding_windows", lambda x: x.unfold(1, 3, 2)),
    op("unfold", nn.Unfold(2, padding=1, stride=2), PICTURE), op("gather", lambda x: x.gather(1, I)),
    op("gather", lambda x: x.gather(1, x.argsort(1))), steps("index_select", lambda x: x.index_select(1, I[0])),
    op("take", lambda x: x.take(I)), op("masked_select", lambda x: x.masked_select(x > -1)),
    op("pick", lambda x: x[:, I[0]]), op("pick", lambda x: x[x > -1]),
    op("pick", lambda x: x[0, torch.tensor([0, 1]), :, torch.tensor([1, 0])], PICTURE),
    op("assign", overwritten(_zero)), op("assign", overwritten(_stretch), LINE, LINE), op("assign",
        overwritten(_masked)),
    op("assign", overwritten(_by_places), LINE, LINE), op("scatter", lambda x: x.scatter(1, I, 2.0)),
    op("scatter", lambda x, y: x.scatter(1, I.repeat(1, 2)[:, :3], y[:, :3] * 1), LINE, LINE),
    op("index_fill", lambda x: x.index_fill(1, I[0], 2.0)),
    op("index_fill", lambda x, y: x.index_copy(1, I[0], y[:, :3]), LINE, LINE),
    op("max_unpool", lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2), PICTURE),
    op("copy", overwritten(lambda x, y: x.copy_(y)), LINE, LINE), op("fill",
        lambda x: overwritten(Tensor.zero_)(x) + x),
    op("meshgrid", lambda x: torch.stack(torch.meshgrid(x[0], x[0] * 2, indexing="ij"))),
    op("dstack", lambda x: torch.dstack([x, x * 2]), TABLE),
    op("one_hot", lambda x: F.one_hot((x.abs() * 3).long() % 4, 4) * x[..., None]),
    op("bucketize", lambda x: x * torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0]).double())),
    op("searchsorted", lambda x: x * torch.searchsorted(torch.tensor([-1.0, 0.0, 1.0]).double(), x)),
    op("hstack", lambda x: torch.hstack([x, x * 2])), op("vstack", lambda x: torch.vstack([x[0], x[0] * 2])),
    op("flipud", lambda x: x[0].flipud(), PICTURE), op("fliplr", torch.fliplr),
    op("tensor_split", lambda x: x.tensor_split(4, 1)[1]),
)
LINEAR = (
    *(op("interpolate", lambda x, mode=mode, more=more: F.interpolate(x, mode=mode, **more), given,
         name=f"interpolate({mode}, {more})")
      for mode, given, more in (
          ("bilinear", PICTURE, {"scale_factor": 2}), ("bilinear", PICTURE, {"scale_factor": 1.5,
                                                                              "align_corners": True}),
          ("bilinear", PICTURE, {"size": (3, 2), "antialias": True}), ("bicubic", PICTURE, {"scale_factor": 1.6}),
          ("bicubic", PICTURE, {"size": (5, 2), "align_corners": True}),
          ("bicubic", PICTURE, {"size": (2, 3), "antialias": True}), ("trilinear", VOLUME, {"scale_factor": 0.75}),
          ("nearest-exact", PICTURE, {"scale_factor": 1.6}), ("area", PICTURE, {"size": (3, 3)}),
          ("linear", TABLE, {"size": 7}))),
    *(op("grid_sample", lambda x, mode=mode, padding=padding, corners=corners: F.grid_sample(
        x, GRID * x.mean().tanh().add(1), mode, padding, corners), PICTURE,
         name=f"grid_sample({mode}, {padding}, {corners})")
      for mode, padding, corners in (("bilinear", "zeros", False), ("bilinear", "border", True), ("nearest",
          "zeros", True),
                                     ("bicubic", "zeros", False), ("bilinear", "reflection", False),
                                     ("bicubic", "reflection", True))),
    op("affine_grid", lambda x: F.affine_grid(x.view(1, 2, 3), [1, 1, 3, 4], align_corners=False)),
    op("fold", lambda x: F.fold(F.unfold(x, 2, padding=1), x.shape[-2:], 2, padding=1), PICTURE),
    op("scatter_add", lambda x, y: x.scatter_add(1, torch.tensor([[0, 0, 2, 1, 1, 1]]), y), LINE, LINE),
    op("scatter_add", lambda x, y: x.scatter_reduce(1, torch.tensor([[0, 0, 2, 1, 1, 1]]), y, "sum",
                                                    include_self=False), LINE, LINE),
    op("index_add", lambda x, y: x.index_add(1, torch.tensor([0, 0]), y[:, :2], alpha=0.5), LINE, LINE),
)
PRODUCTS = (
    *(op("einsum", lambda *given, equation=equation: torch.einsum(equation, *given), *shapes,
        name=f"einsum({equation})")
      for equation, *shapes in (
          ("bi,bi->b", LINE, LINE), ("bchw,bchv->bcwv", PICTURE, PICTURE), ("bij->bji", TABLE), ("bi,bj,bk->bijk", LINE,
                                                                                               LINE, LINE),
          ("...ij,...kj->...ik", PICTURE, PICTURE), ("bi->", LINE), ("bsi,bti", TABLE, TABLE))),
    op("einsum", lambda x: torch.einsum("bii->bi", x @ x.mT), TABLE, name="einsum(bii->bi)"),
    op("tensordot", lambda x, y: torch.tensordot(x, y, dims=([0, 1, 3], [0, 1, 3])), PICTURE, PICTURE),
    op("outer", lambda x: torch.outer(x[0], x[0])), op("inner", torch.inner, LINE, LINE),
    op("vdot", lambda x, y: torch.vdot(x[0], y[0]), LINE, LINE),
    op("baddbmm", lambda x: torch.baddbmm(x @ x.mT, x, x.mT, beta=0.5, alpha=2), TABLE),
    op("addbmm", lambda x: torch.addbmm(x[0] @ x[0].T, x, x.mT), TABLE),
    op("addmv", lambda x: torch.addmv(x[0, :, 0], x[0], x[0, 0]), TABLE),
    op("addr", lambda x: torch.addr(x[0], x[0, :, 0], x[0, 0]), TABLE),
    op("bilinear", holding(lambda part, x, y: part(x, y), nn.Bilinear(4, 4, 3)), TABLE, TABLE),
    *(op("embedding_bag", holding(lambda part, x: part((x.abs() * 9).long() % 5), nn.EmbeddingBag(5, 3, mode=mode)))
      for mode in ("sum", "mean", "max")),
)
POOLS = (
    op("conv3d", holding(lambda part, x: part(x), nn.Conv3d(2, 3, 2, stride=(1, 2, 1), padding=1)), VOLUME),
    op("conv_transpose3d", holding(lambda part, x: part(x), nn.ConvTranspose3d(2, 2, 2, stride=2)), VOLUME),
    op("max_pool3d", nn.MaxPool3d(2), VOLUME), op("avg_pool3d", nn.AvgPool3d(2, 1, 1), VOLUME),
    op("adaptive_max_pool3d", nn.AdaptiveMaxPool3d((2, 3, 2)), VOLUME),
    op("adaptive_avg_pool3d", nn.AdaptiveAvgPool3d(2), VOLUME),
)
LOSSES = (
    *(op("l1_loss", lambda x, y, how=how: F.l1_loss(x, y, reduction=how), LINE, LINE) for how in ("mean", "sum",
        "none")),
    op("smooth_l1_loss", lambda x, y: F.smooth_l1_loss(x, y, beta=0.3), LINE, LINE),
    op("huber_loss", lambda x, y: F.huber_loss(x, y, delta=0.3), LINE, LINE),
    op("kl_div", lambda x, y: F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean"), LINE, LINE),
    op("kl_div", lambda x, y: F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="sum", log_target=True), LINE,
        LINE),
    op("poisson_nll_loss", lambda x, y: F.poisson_nll_loss(x, y.abs() * 3, full=True), LINE, LINE),
    op("hinge_embedding_loss", lambda x: F.hinge_embedding_loss(x, _signs(x))),
    op("margin_ranking_loss", lambda x, y: F.margin_ranking_loss(x, y, _signs(x), margin=0.2), LINE, LINE),
    op("soft_margin_loss", lambda x: F.soft_margin_loss(x, _signs(x))),
    op("weighed_binary_cross_entropy_with_logits", lambda x, y: F.binary_cross_entropy_with_logits(
        x, y.sigmoid(), torch.arange(6.0).double(), pos_weight=torch.full((6,), 0.3).double()), LINE, LINE),
    op("weighed_binary_cross_entropy", lambda x, y: F.binary_cross_entropy(
        x.sigmoid(), y.sigmoid(), torch.arange(6.0).double()), LINE, LINE),
)
COMPOSITES = (
    steps("normalize", lambda x: F.normalize(x, dim=1), PICTURE), steps("lp_pool", lambda x: F.lp_pool2d(x, 2, 2),
        PICTURE),
    steps("local_response_norm", nn.LocalResponseNorm(2), PICTURE), steps("softmin", nn.Softmin(1)),
    steps("gaussian_nll", lambda x, y: F.gaussian_nll_loss(x, y, x.detach().abs() + 0.1), LINE, LINE),
    steps("triplet", lambda x, y: F.triplet_margin_loss(x, y, x * 0.5, swap=True), LINE, LINE),
    steps("cosine_embedding", lambda x, y: F.cosine_embedding_loss(x, y, torch.tensor([-1.0]).double()), LINE, LINE),
    steps("multi_margin", lambda x: F.multi_margin_loss(x, torch.tensor([2]), p=2)),
    steps("multilabel_soft_margin", lambda x: F.multilabel_soft_margin_loss(x, (_signs(x) + 1) / 2)),
    steps("cross_entropy of shares", lambda x, y: F.cross_entropy(x, y.softmax(1)), LINE, LINE),
    steps("multi_dot", lambda x: torch.linalg.multi_dot([x[0], x[0].T, x[0]]), TABLE),
    steps("gumbel", F.gumbel_softmax), steps("sdpa", lambda x: sdpa(x, x, x), PICTURE),
    steps("sdpa(causal)", lambda x: sdpa(x, x, x, is_causal=True), PICTURE),
    steps("sdpa(mask)", lambda x: sdpa(x, x, x, ~_causal(x)), PICTURE),
    steps("sdpa(scale)", lambda x: sdpa(x, x, x, torch.zeros(x.size(-2), x.size(-2)).double(), scale=0.3), PICTURE),
    steps("sdpa(groups)", lambda x: sdpa(x, x[:, :1], x[:, 1:], enable_gqa=True), PICTURE),
    steps("sdpa(dropout)", lambda x: sdpa(x, x, x, dropout_p=0.3), PICTURE),
    steps("attention", _attention(), TABLE), steps("attention(fast)", _attention(need_weights=False), TABLE),
    steps("encoder layer", holding(lambda part, x: part(x), nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)),
        TABLE),
    steps("encoder layer(causal)", holding(lambda part, x: part(x, src_mask=_causal(x), is_causal=True),
                                           nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True,
                                                                      activation="gelu")), TABLE),
    steps("decoder layer", holding(lambda part, x, y: part(x, y), nn.TransformerDecoderLayer(4, 2, 8,
        batch_first=True)),
          TABLE, TABLE),
    steps("spectral_norm", holding(lambda part, x: part(x), nn.utils.parametrizations.spectral_norm(nn.Linear(6, 3)))),
)


def _square(x: Tensor) -> Tensor:
    """A symmetric matrix whose eigenvalues lie apart, of a table."""
    return x.mT @ x + torch.diag_embed(torch.arange(1.0, 5.0).double())


def _triangular(x: Tensor) -> Tensor:
    return torch.linalg.cholesky(_square(x))


la = torch.linalg
MATRICES = (
    op("inverse", lambda x: la.inv(_square(x)), TABLE), op("pseudoinverse", la.pinv, TABLE),
    op("solution", lambda x: la.solve(_square(x), x.mT), TABLE), op("solution", lambda x: la.solve(
        _square(x), x[:, 0]), TABLE, name="solve for a vector"),
    op("solution", lambda x: la.solve(_square(x)[0], x, left=False), TABLE, name="solve from the right"),
    *(op("triangular_solution", lambda x, upper=upper, one=one: la.solve_triangular(
        _square(x), x.mT, upper=upper, unitriangular=one), TABLE, name=f"solve_triangular({upper}, {one})")
      for upper, one in ((False, False), (True, True))),
    op("cholesky_solution", lambda x: torch.cholesky_solve(x.mT, _triangular(x)), TABLE),
    op("inverse_by_factor", lambda x: torch.cholesky_inverse(_triangular(x)[0]), TABLE),
    op("determinant", lambda x: la.det(_square(x)), TABLE), op("determinant", lambda x: torch.det(x[0, :, :2].T @ x[
        0, :, :2]), TABLE, name="det of one"),
    op("size_of_determinant", lambda x: torch.add(*la.slogdet(_square(x))), TABLE),
    op("logarithm_of_determinant", lambda x: torch.logdet(_square(x)), TABLE),
    op("matrix_exponential", lambda x: torch.matrix_exp(_square(x) * 0.3), TABLE),
    op("matrix_power", lambda x: la.matrix_power(_square(x), 3), TABLE),
    op("matrix_power", lambda x: la.matrix_power(_square(x), -2), TABLE, name="negative power"),
    op("cholesky", lambda x: la.cholesky(_square(x)), TABLE), op("cholesky", lambda x: la.cholesky(
        _square(x), upper=True), TABLE, name="cholesky of above"),
    op("qr", lambda x: la.qr(_square(x))[1], TABLE), op("qr", lambda x: la.qr(_square(x)[..., :3])[0], TABLE,
                                                       name="Q of a tall one"),
    op("qr", lambda x: la.qr(_square(x)[:, :2])[1], TABLE, name="R of a wide one"),
    op("eigenvalues", lambda x: la.eigvalsh(_square(x)), TABLE),
    op("eigenvalues", lambda x: la.eigh(_square(x))[1].square(), TABLE, name="eigenvectors"),
    op("singular_values", lambda x: la.svdvals(_square(x)), TABLE),
    *(op("singular_decomposition", lambda x, part=part: la.svd(_square(x)[..., :3], full_matrices=False)[part].square(),
         TABLE, name=f"svd, part {part}") for part in range(3)),
    *(steps(f"norm({order})", lambda x, order=order: la.norm(x, order, (1, 2), True), TABLE)
      for order in ("nuc", 2, -2, 1, -1, float("inf"))),
    steps("matrix_norm", lambda x: la.matrix_norm(x, -float("inf")), TABLE),
    steps("condition", lambda x: la.cond(_square(x)), TABLE), steps("trace", lambda x: torch.trace(x[0]), TABLE),
    steps("kron", lambda x: torch.kron(x, x[0, 0]), TABLE), steps("block_diag", lambda x: torch.block_diag(x[0], x[0]),
                                                                  TABLE),
    steps("cartesian_prod", lambda x: torch.cartesian_prod(x[0], x[0]), LINE),
    steps("pad_sequence", lambda x: nn.utils.rnn.pad_sequence([x[0], x[0, :1]]), TABLE),
)


def _grows(x: Tensor) -> None:
    x[:, 0] += x[:, 1]


def _both_views(x: Tensor) -> Tensor:
    """A view that is written to, read, and read again through what it is a view of."""
    x = x * 1
    y = x[:, 1]
    y.mul_(2).add_(1)
    return y * x[:, 0] + x.sum(1) * y


def _old_view(x: Tensor) -> Tensor:
    """A view that was taken before another one was written to."""
    x = x * 1
    y = x.view(1, -1)
    x.mT[:, :1].sigmoid_()
    return y * 3


def _swapped(x: Tensor) -> None:
    x[:, 0], x[:, 1] = x[:, 1].clone(), x[:, 0].clone()


def _runs_up(x: Tensor) -> None:
    for i in range(1, x.shape[1]):
        x[:, i] += x[:, i - 1]


def _indices(*places: list[int]) -> tuple[Tensor, ...]:
    return tuple(map(torch.tensor, places))


WRITES = (
    op("written", overwritten(_grows), TABLE),
    op("written", overwritten(lambda x: x[:, 1].mul_(2)), TABLE, name="mul_"),
    op("written", _both_views, TABLE, name="a view that is read on"), op("seen_again", _old_view, TABLE),
    op("written", overwritten(lambda x: x[:, 1:].masked_fill_(x[:, 1:] > 0, 0.5)), TABLE, name="masked_fill_"),
    op("written", overwritten(lambda x: x[..., 2:].copy_(x[..., :2] * 3)), TABLE, name="copy_"),
    op("written", overwritten(lambda x: x.mT[:, 0].add_(1)), TABLE, name="of a transpose"),
    op("written", overwritten(lambda x: x[0, :2, :2].diagonal().add_(2)), TABLE, name="of a diagonal"),
    op("written", overwritten(lambda x: F.relu(x[:, :1], inplace=True)), TABLE, name="relu in place"),
    op("assign", overwritten(_swapped), TABLE), op("written", overwritten(_runs_up), TABLE, name="step by step"),
    op("masked_scatter", overwritten(lambda x: x.masked_scatter_(x > 0, x.flatten() * 2)), TABLE),
    op("put", overwritten(lambda x: x.put_(*_indices([0, 3]), x[0, 0, :2] * 2)), TABLE),
    op("fill_diagonal", overwritten(lambda x: x[0].fill_diagonal_(1.0)), TABLE),
    steps("index_put_", overwritten(lambda x: x.index_put_(_indices([0], [1]), x[0, 0] * 2)), TABLE),
    steps("index_put_ of a view", overwritten(lambda x: x[0].index_put_(_indices([1]), x[0, :1] * 2)), TABLE),
    steps("index_put, added", lambda x: x.index_put(_indices([0, 0], [1, 1]), x[0, :2] * 2, accumulate=True), TABLE),
)
DROPPED = (
    op("alpha_dropout", lambda x: F.alpha_dropout(x, 0.3, True), PICTURE),
    op("alpha_dropout", lambda x: F.alpha_dropout(x, 1.0, True), name="alpha_dropout of all"),
    op("channel_alpha_dropout", lambda x: F.feature_alpha_dropout(x, 0.4, True), PICTURE),
    steps("dropout", lambda x: F.dropout(x, 0.3, True), PICTURE),
    steps("dropout2d", lambda x: F.dropout2d(x, 0.4, True), PICTURE),
    steps("dropout3d", lambda x: F.dropout3d(x, 0.4, True), VOLUME),
)


def _packed(x: Tensor) -> Tensor:
    """Two of the steps, padded again, each times how many sequences were read then, and how long this one is."""
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([2]), batch_first=True)
    packed = packed._replace(data=packed.data * packed.batch_sizes[:, None])
    made, length = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    return made * length


LENGTHS = (steps("lengths", _packed, TABLE),)
OPERATIONS = (*FUNCTIONS, *CHOICES, *LINES, *PLACES, *LINEAR, *PRODUCTS, *POOLS, *LOSSES, *COMPOSITES, *MATRICES,
              *WRITES, *DROPPED, *LENGTHS)
