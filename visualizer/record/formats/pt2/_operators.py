"""What a file may ask for: operators by name, each as the torch function that a model would have called.

A list of what is allowed, and nothing by prefix: `aten.from_file` opens files. All of them only compute. Called are
the functions of torch itself, so that a recording sees what it sees of any model, and gradients flow.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer.language import tr

_NAMES = """
_weight_norm abs absolute acos acosh adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
adaptive_max_pool2d adaptive_max_pool3d add add_ addbmm addcdiv addcdiv_ addcmul addcmul_ addmm addmv addr all
alpha_dropout alpha_dropout_ amax amin aminmax angle any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh
argmax argmin argsort as_strided asin asinh atan atan2 atanh atleast_1d atleast_2d atleast_3d avg_pool1d avg_pool2d
avg_pool3d baddbmm bernoulli bilinear binary_cross_entropy binary_cross_entropy_with_logits bitwise_and
bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman_window block_diag bmm broadcast_to
bucketize cartesian_prod cat cdist ceil celu celu_ chain_matmul channel_shuffle chunk clamp clamp_ clamp_max clamp_max_
clamp_min clamp_min_ clip clone column_stack combinations complex concat conj constant_pad_nd contiguous conv1d conv2d
conv3d conv_transpose1d conv_transpose2d conv_transpose3d copy_ corrcoef cos cosh cosine_embedding_loss
cosine_similarity count_nonzero cov cross cross_entropy_loss ctc_loss cummax cummin cumprod cumsum cumulative_trapezoid
deg2rad diag diag_embed diagflat diagonal diff digamma dist div div_ divide dot dropout dropout_ dsplit dstack elu elu_
embedding embedding_bag empty empty_like eq erf erfc erfc_ erfinv exp exp2 exp_ expand expand_as expm1 exponential_ eye
feature_alpha_dropout feature_dropout fft_fft fft_fft2 fft_fftfreq fft_fftn fft_fftshift fft_ifft fft_ifft2 fft_ifftn
fft_ifftshift fft_irfft fft_irfft2 fft_rfft fft_rfft2 fft_rfftfreq fill fill_ fix flatten flip fliplr flipud floor
floor_divide floor_divide_ fmax fmin fmod frac full full_like gather ge gelu glu greater greater_equal group_norm gru
gru_cell gt hamming_window hann_window hardshrink hardsigmoid hardsigmoid_ hardswish hardswish_ hardtanh hardtanh_
heaviside hinge_embedding_loss hsplit hstack huber_loss hypot imag index_add index_copy index_fill index_select inner
isclose isfinite isinf isnan isneginf isposinf istft kaiser_window kl_div kron kthvalue l1_loss layer_norm le
leaky_relu leaky_relu_ lerp lerp_ less less_equal lgamma linalg_cholesky linalg_cross linalg_det linalg_eigh linalg_inv
linalg_matmul linalg_matrix_norm linalg_multi_dot linalg_norm linalg_qr linalg_solve linalg_svd linalg_vector_norm
linear linspace log log10 log1p log2 log_sigmoid log_softmax logaddexp logaddexp2 logcumsumexp logical_and logical_not
logical_or logical_xor logit logspace logsumexp lstm lstm_cell lt margin_ranking_loss masked_fill masked_fill_
masked_scatter masked_select matmul matrix_exp max max_pool1d max_pool2d max_pool3d max_unpool2d maximum mean median
meshgrid min minimum mish mish_ mm mode moveaxis movedim mse_loss mul mul_ multi_margin_loss multilabel_margin_loss
multinomial multiply mv nan_to_num nanmean nanquantile nansum narrow ne neg neg_ negative new_empty new_full new_ones
new_zeros nll_loss nll_loss2d nll_loss_nd nonzero nonzero_static norm normal_ not_equal ones ones_like outer pad
pairwise_distance permute pixel_shuffle pixel_unshuffle poisson_nll_loss polar pow pow_ prelu prod quantile rad2deg
rand rand_like randint randn randn_like randperm ravel real reciprocal reflection_pad1d reflection_pad2d
reflection_pad3d relu relu6 relu6_ relu_ remainder renorm repeat replication_pad1d replication_pad2d replication_pad3d
reshape reshape_as rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90 round rrelu rrelu_ rsqrt rsub
scalar_tensor scaled_dot_product_attention scatter scatter_add scatter_reduce searchsorted select_scatter selu selu_
sgn sigmoid sigmoid_ sign signbit silu silu_ sin sinc sinh slice_scatter smooth_l1_loss soft_margin_loss softmax
softplus softshrink sort special_entr special_erf special_expit special_gammaln special_log1p special_log_softmax
special_softmax special_xlogy split sqrt sqrt_ square squeeze squeeze_ stack std std_mean sub sub_ subtract sum svd
swapaxes swapdims t t_ take take_along_dim tan tanh tanh_ tensor_split tensordot threshold threshold_ tile topk trace
transpose transpose_ trapezoid trapz tril tril_ tril_indices triplet_margin_loss triu triu_ triu_indices true_divide
trunc type_as unbind unflatten unfold uniform_ unique_consecutive unsafe_chunk unsafe_split unsqueeze unsqueeze_ var
var_mean vdot view_as view_as_complex view_as_real vsplit vstack where xlogy zero_ zeros zeros_like
"""
ATEN = frozenset(_NAMES.split())
"""Those that torch has as a function or method of the same name and the same arguments in the same order. None makes
more than its shapes tell: how much `bincount` makes depends on the numbers in a tensor."""
STAY = frozenset({"relu", "relu_", "gelu", "silu", "silu_", "leaky_relu", "elu", "hardswish", "hardsigmoid", "hardtanh",
                  "hardtanh_", "relu6", "mish", "selu", "dropout", "batch_norm", "layer_norm", "group_norm",
                  "rms_norm"})
"""Those whose results have the shape and the type of what they read first, which is dear to have torch find out."""
PLACES = ("_nn", "_VariableFunctions", "", "_linalg", "_fft", "_special")
"""Where in torch._C they stand; "" are the methods of a tensor."""
PLAIN: Mapping[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "floordiv": operator.floordiv, "mod": operator.mod,
    "truediv": operator.truediv, "neg": operator.neg, "eq": operator.eq, "ne": operator.ne, "lt": operator.lt,
    "le": operator.le, "gt": operator.gt, "ge": operator.ge, "and_": operator.and_, "or_": operator.or_,
    "not_": operator.not_}
"""What is done with sizes."""
SIZES: Mapping[str, Callable[..., Any]] = {
    "math.ceil": math.ceil, "math.floor": math.floor, "math.trunc": math.trunc, "torch.sym_max": max,
    "torch.sym_min": min, "torch.sym_float": float, "torch.sym_int": int, "torch.sym_not": operator.not_,
    "torch.sym_sum": sum, "torch.sym_ite": lambda chosen, one, other: one if chosen else other,
    "builtins.round": round, "builtins.max": max, "builtins.min": min}
MOST_SIZE = 1 << 48
"""No size that a file computes may be larger."""
NO_MATTER = frozenset({"device", "pin_memory", "layout", "memory_format", "non_blocking", "copy", "cudnn_enable",
                       "cudnn_enabled", "implicit"})
"""Arguments that say where and how numbers are kept: here all are kept alike."""

Function = Callable[..., Any]


def function(target: str, alone: bool = False) -> tuple[Function, tuple[str, ...], bool] | None:
    """What stands for an operator, the names of its arguments in order, as far as these have an order, and whether it
    can be told on which device to make something; `alone` where only its first result is read. None for one that is not
    allowed, or that this torch has not."""
    space, _, name = target.rpartition("torch.ops.aten.")
    if not space and name != target:
        base, _, overload = name.partition(".")
        own = (FIRST_ALONE if alone and base in FIRST_ALONE else OWN).get(base)
        own = OWN.get(name, own)
        if base not in ATEN and own is None:
            return None
        schema = getattr(getattr(torch.ops.aten, base, None), overload or "default", None)
        if not isinstance(schema, torch._ops.OpOverload):
            return None
        found = own or _of_torch(base)
        names = tuple(argument.name for argument in schema._schema.arguments if not argument.kwarg_only)
        begins = own is None and any(argument.name == "device" for argument in schema._schema.arguments)
        return None if found is None else (found, names, begins)
    if target.startswith("_operator.") and target[10:] in PLAIN:
        return _of_sizes(PLAIN[target[10:]]), (), False
    if target == "_operator.getitem":
        return operator.getitem, (), False
    return (_of_sizes(SIZES[target]), (), False) if target in SIZES else None


def stays(target: str) -> bool:
    """Whether an operator makes what has the shape and the type of the first that it reads."""
    return target.removeprefix("torch.ops.aten.").partition(".")[0] in STAY


def _of_torch(name: str) -> Function | None:
    if name in SEEN:
        return SEEN[name]
    for place in PLACES:
        space = getattr(torch._C, place) if place else Tensor
        found = getattr(space, name, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    return None


def _of_sizes(does: Function) -> Function:
    """The same for plain numbers alone, and none so large that it takes long to work with."""
    def made(*numbers: Any) -> Any:
        flat = [each for number in numbers for each in (number if isinstance(number, list) else [number])]
        if not all(isinstance(each, bool | int | float) for each in flat):
            raise TypeError(tr("a size is made of something that is no number"))
        found = does(*numbers)
        if isinstance(found, int | float) and abs(found) > MOST_SIZE:
            raise TypeError(tr("a size is larger than any can be"))
        return found

    return made


# --- those whose arguments stand otherwise, or that torch has split up ---------------------------------------------

def _slice(x: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """Itself where all of it is taken: `x[:, 1]` is exported as two steps, the first of which does nothing."""
    size = x.shape[dim]
    first, last = start or 0, size if end is None else end
    if step == 1 and (first == 0 or first <= -size) and last >= size:
        return x
    places = (slice(None),) * (dim % x.dim())
    return x[(*places, slice(start, None if end is None or end >= size else end, None if step == 1 else step))]


def _select(x: Tensor, dim: int, index: int) -> Tensor:
    """`x[:, 3]`, as models write it."""
    return x[(*(slice(None),) * (dim % x.dim()), index)]


def _view(x: Tensor, size: Sequence[int]) -> Tensor:
    """Of what lies in memory in another order than where the file was made, a copy."""
    return x.view(size) if x.is_contiguous() or _can_be_seen_as(x, size) else x.reshape(size)


def _can_be_seen_as(x: Tensor, size: Sequence[int]) -> bool:
    try:
        with torch._C.DisableTorchFunction():  # trying is no step of the model
            x.view(size)
    except RuntimeError:
        return False
    return True


def _index(x: Tensor, indices: Sequence[Tensor | None]) -> Tensor:
    return x[tuple(slice(None) if each is None else each for each in indices)]


def _index_put(x: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    return torch.index_put(x, _every(x, indices), values, accumulate)


def _index_put_(x: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Tensor:
    if accumulate:
        return x.index_put_(_every(x, indices), values, accumulate)
    x[tuple(slice(None) if each is None else each for each in indices)] = values
    return x


def _every(x: Tensor, indices: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
    """Places along the axes that are named; torch's own functions take no others before them."""
    if any(each is None for each in indices):
        raise TypeError(tr("some axes are left out among places that are written to"))
    return tuple(each for each in indices if each is not None)


def _to(x: Tensor, dtype: torch.dtype | None = None, *more: Any, **named: Any) -> Tensor:
    return x if dtype is None or dtype == x.dtype else x.to(dtype)


def _convolution(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
                 dilation: Sequence[int], transposed: bool, output_padding: Sequence[int], groups: int,
                 *how: Any) -> Tensor:
    """`conv1d` to `conv_transpose3d`, which torch writes as one after decomposition."""
    axes = weight.dim() - 2
    if transposed:
        turned = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[axes - 1]
        return turned(x, weight, bias, stride, padding, output_padding, groups, dilation)
    plain = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    return plain(x, weight, bias, stride, padding, dilation, groups)


def _batch_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None, variance: Tensor | None,
                training: bool, momentum: float, eps: float, *more: Any) -> Tensor:
    return F.batch_norm(x, mean, variance, weight, bias, training, momentum, eps)


def _instance_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None, variance: Tensor | None,
                   itself: bool, momentum: float, eps: float) -> Tensor:
    return F.instance_norm(x, mean, variance, weight, bias, itself, momentum, eps)


def _native_batch_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None,
                       variance: Tensor | None, *more: Any) -> tuple[Any, ...]:
    """Once decomposed; what it measured on the way is nothing that a model answers."""
    training, momentum, eps = more if len(more) == 3 else (False, *more)
    return (_batch_norm(x, weight, bias, mean, variance, training, momentum, eps), None, None, mean, variance)


def _batch_norm_of_itself(x: Tensor, weight: Tensor | None, bias: Tensor | None, training: bool, momentum: float,
                          eps: float) -> tuple[Any, ...]:
    return (_batch_norm(x, weight, bias, None, None, training, momentum, eps), None, None)


def _layer_norm(x: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None,
                eps: float) -> tuple[Any, ...]:
    return (F.layer_norm(x, list(shape), weight, bias, eps), None, None)


def _group_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, samples: int, channels: int, places: int,
                groups: int, eps: float) -> tuple[Any, ...]:
    return (F.group_norm(x, groups, weight, bias, eps), None, None)


def _dropout(x: Tensor, p: float, train: bool | None) -> tuple[Any, ...]:
    return (F.dropout(x, p, bool(train)), None)


def _max_pool(name: str, **places: bool) -> Function:
    plain = getattr(F, name)

    def pooled(x: Tensor, size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False) -> Any:
        return plain(x, size, stride or None, padding, dilation, ceil_mode, **places)

    return pooled


def _bag(weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False, mode: int = 0,
         sparse: bool = False, per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
         padding_idx: int | None = -1) -> Tensor:
    padding = None if padding_idx == -1 else padding_idx
    return F.embedding_bag(indices, weight, offsets, None, 2.0, scale_grad_by_freq, ("sum", "mean", "max")[mode],
                           sparse, per_sample_weights, include_last_offset, padding)


def _resized(mode: str, *, aligned: bool) -> Function:
    """`F.interpolate`, of which each mode has two forms in the file: to a size, or by factors."""
    def made(x: Tensor, size: Any = None, *more: Any, **named: Any) -> Tensor:
        corners = named.get("align_corners", more[0] if aligned and more else None)
        factors = named.get("scale_factors", more[int(aligned)] if len(more) == 1 + aligned else None)
        if factors is None or type(factors) is float:  # a size, and with it the factors that it was found by
            told = [each for each in (*more[int(aligned):], *named.values()) if type(each) is float]
            fit = len(told) == x.dim() - 2 and [int(edge * each) for edge, each in
                                                zip(x.shape[2:], told, strict=False)] == list(size)
            size, factors = (None, told) if fit else (size, None)
        return F.interpolate(x, size, factors, mode, bool(corners) if aligned else None)

    return made


def _one_hot(x: Tensor, classes: int = -1) -> Tensor:
    if classes < 1:
        raise TypeError(tr("the number of classes depends on the numbers"))
    return F.one_hot(x, classes)


def _fold(x: Tensor, size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> Tensor:
    return F.fold(x, size, kernel, dilation, padding, stride)


def _sampled(x: Tensor, grid: Tensor, mode: int, padding: int, corners: bool) -> Tensor:
    return F.grid_sample(x, grid, ("bilinear", "nearest", "bicubic")[mode], ("zeros", "border", "reflection")[padding],
                         corners)


def _detach(x: Tensor) -> Tensor:
    return x.detach() if x.requires_grad else x


def _attention(query: Tensor, key: Tensor, value: Tensor, dropout_p: float = 0.0, is_causal: bool = False,
               **named: Any) -> tuple[Any, ...]:
    made = F.scaled_dot_product_attention(query, key, value, named.get("attn_mask"), dropout_p, is_causal,
                                          scale=named.get("scale"))
    return (made, None)


def _stft(x: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
          window: Tensor | None = None, *more: Any, **named: Any) -> Tensor:
    """Its padding is a step of its own in the file."""
    normalized, onesided, return_complex = (*more, False, None, None)[:3] if len(more) < 3 else more[:3]
    return torch.stft(x, n_fft, hop_length, win_length, window, center=False, normalized=normalized, onesided=onesided,
                      return_complex=return_complex)


def _einsum(equation: str, tensors: Sequence[Tensor], **named: Any) -> Tensor:
    return torch.einsum(equation, *tensors)


def _nothing(*given: Any, **named: Any) -> None:
    """A condition that torch found to hold when the file was written."""


def _same(x: Any, *more: Any, **named: Any) -> Any:
    return x


SEEN: Mapping[str, Function] = {name: getattr(F, name) for name in (
    "relu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "elu", "selu", "celu", "leaky_relu", "silu", "mish",
    "glu", "conv1d", "conv2d", "conv3d", "dropout", "layer_norm", "rms_norm", "alpha_dropout", "pad")} | {
    "softmax": torch.softmax, "log_softmax": torch.log_softmax, "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "adaptive_avg_pool3d": F.adaptive_avg_pool3d, "unflatten": torch.unflatten, "split": torch.split}
"""Those that torch writes in Python: this is how models call them."""
OWN: Mapping[str, Function] = {
    "slice": _slice, "index": _index, "index_put": _index_put, "index_put_": _index_put_, "to": _to, "_to_copy": _to,
    "convolution": _convolution, "batch_norm": _batch_norm,
    "instance_norm": _instance_norm, "native_batch_norm": _native_batch_norm,
    "_native_batch_norm_legit": _native_batch_norm, "_native_batch_norm_legit_no_training": _native_batch_norm,
    "_native_batch_norm_legit_functional": _native_batch_norm, "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm, "native_dropout": _dropout,
    "max_pool1d_with_indices": _max_pool("max_pool1d", return_indices=True),
    "max_pool2d_with_indices": _max_pool("max_pool2d", return_indices=True),
    "max_pool3d_with_indices": _max_pool("max_pool3d", return_indices=True), "select": _select,
    "_adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "_adaptive_avg_pool3d": F.adaptive_avg_pool3d, "_softmax": lambda x, dim, half: torch.softmax(x, dim),
    "_log_softmax": lambda x, dim, half: torch.log_softmax(x, dim), "_unsafe_view": _view,
    "view": _view, "view.dtype": Tensor.view, "_native_batch_norm_legit.no_stats": _batch_norm_of_itself,
    "_prelu_kernel": lambda x, weight: F.prelu(x, weight.flatten()),
    "_scaled_dot_product_flash_attention_for_cpu": _attention, "stft": _stft, "einsum": _einsum,
    "grid_sampler": _sampled, "grid_sampler_2d": _sampled, "grid_sampler_3d": _sampled, "im2col": F.unfold,
    "col2im": _fold, "affine_grid_generator": F.affine_grid, "split_with_sizes": torch.split,
    **{f"upsample_{name}": _resized(mode, aligned=aligned) for name, mode, aligned in (
        ("nearest1d", "nearest", False), ("nearest2d", "nearest", False), ("nearest3d", "nearest", False),
        ("linear1d", "linear", True), ("bilinear2d", "bilinear", True), ("bicubic2d", "bicubic", True),
        ("trilinear3d", "trilinear", True))},
    **{f"_upsample_nearest_exact{axes}d": _resized("nearest-exact", aligned=False) for axes in (1, 2, 3)},
    "_cdist_forward": lambda x, y, p, mode=None: torch.cdist(x, y, p), "sym_size": lambda x, dim: x.size(dim),
    "one_hot": _one_hot,
    "repeat_interleave.self_int": torch.repeat_interleave, "sym_numel": lambda x: x.numel(),
    "item": lambda x: x.item(), "_local_scalar_dense": lambda x: x.item(),
    "lift_fresh_copy": _same, "lift_fresh": _same, "alias": _same, "detach_": _detach, "detach": _detach,
    "numpy_T": lambda x: x.T, "mT": lambda x: x.mT, "mH": lambda x: x.mH,
    "_assert_tensor_metadata": _nothing, "_assert_scalar": _nothing, "_assert_async": _nothing,
    "sym_constrain_range": _nothing, "sym_constrain_range_for_size": _nothing}
FIRST_ALONE: Mapping[str, Function] = {
    "adaptive_max_pool1d": F.adaptive_max_pool1d, "adaptive_max_pool2d": F.adaptive_max_pool2d,
    "adaptive_max_pool3d": F.adaptive_max_pool3d, "max_pool1d_with_indices": _max_pool("max_pool1d"),
    "max_pool2d_with_indices": _max_pool("max_pool2d"), "max_pool3d_with_indices": _max_pool("max_pool3d"),
    "embedding_bag": _bag, "_embedding_bag": _bag, "_embedding_bag_forward_only": _bag}
"""Those of several results of which mostly the first is read, and that models call without the others."""
