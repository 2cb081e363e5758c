"""Operations that stand in models without being layers, each used by a small network."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, image, network, sequence


def _between(does, width=6, read=6):
    """A layer before and a layer behind, so that gradients of weights come through."""
    return Does(lambda m, x: m.last(does(torch.tanh(m.first(x))).flatten(1)), first=nn.Linear(5, read),
                last=nn.Linear(width, 3)), torch.randn(1, 5), 1


@network()
def operations_sum_mean_spread():
    return _between(lambda h: torch.stack([h.sum(1), h.mean(1), h.std(1), h.var(1), h.norm(dim=1)], dim=1), 5)


@network()
def operations_largest_smallest():
    return _between(lambda h: torch.stack([h.max(1).values, h.min(1)[0], h.amax(1), h.amin(1), h.median(1).values],
                                          dim=1), 5)


@network()
def operations_log_sum_exp():
    return _between(lambda h: torch.cat([h.logsumexp(1, keepdim=True), F.log_softmax(h, 1), F.softmin(h, 1)], 1), 13)


@network()
def operations_products():
    return _between(lambda h: torch.cat([h.prod(1, keepdim=True), h.cumprod(1), h.cumsum(1)], 1), 13)


@network()
def operations_running():
    return _between(lambda h: torch.cat([h.cummax(1).values, h.logcumsumexp(1), h.diff(dim=1)], 1), 17)


@network()
def operations_where_and_mask():
    return _between(lambda h: torch.where(h > 0, h * 2, h.exp()).masked_fill(h > 0.8, 0.5) * (h.abs() < 0.9))


@network()
def operations_clamp_and_round():
    return _between(lambda h: h.clamp(-0.5, 0.5) + h.clamp(min=0) + torch.round(3 * h) / 3 + torch.floor(h)
                    + torch.sign(h) + torch.frac(2 * h))


@network()
def operations_powers():
    return _between(lambda h: torch.sqrt(h.square() + 1) + h.pow(3) + h.abs().add(1).log() + torch.rsqrt(h * h + 2)
                    + torch.reciprocal(h + 3) + 2 ** h)


@network()
def operations_waves():
    return _between(lambda h: h.sin() + h.cos() + torch.atan(h) + torch.asinh(h) + torch.erf(h) + torch.expm1(h)
                    + torch.sinh(h) + torch.tan(h))


@network()
def operations_two_numbers():
    return _between(lambda h: torch.maximum(h, h.flip(1)) - torch.minimum(h, h.roll(1, 1)) + torch.atan2(h, h.exp())
                    + torch.lerp(h, h.flip(1), 0.3) + torch.fmod(h, 0.4) + torch.hypot(h, h.flip(1)))


@network()
def operations_add_times():
    return _between(lambda h: torch.addcmul(h, h, h.flip(1), value=0.5) + torch.addcdiv(h, h, h.exp() + 1)
                    + torch.rsub(h, 1) + torch.true_divide(h, 3) + h.neg() * -2)


@network()
def operations_gather_scatter():
    def does(h):
        places = torch.tensor([[3, 0, 5]])
        taken = h.gather(1, places)
        return torch.cat([h.scatter(1, places, taken.exp()), torch.zeros_like(h).scatter_add(1, places, taken)], 1)

    return _between(does, 12)


@network()
def operations_index():
    return _between(lambda h: torch.cat([h[:, [4, 1, 1]], h.index_select(1, torch.tensor([0, 5])), h[:, ::2],
                                         h[:, -2:], h.take_along_dim(h.argsort(1), 1), h[:, None, 2]], dim=1), 17)


@network()
def operations_index_add():
    return _between(lambda h: torch.zeros(1, 4).index_add(1, torch.tensor([0, 1, 1, 2, 3, 3]), h), 4)


@network()
def operations_masked_select():
    """As many as are larger than the mean."""
    return Does(lambda m, x: m.last(torch.masked_select(h := m.first(x), h > h.mean()).mean().view(1, 1)),
                first=nn.Linear(5, 6), last=nn.Linear(1, 3)), torch.randn(1, 5), 1


@network()
def operations_best_of():
    return _between(lambda h: torch.cat([h.topk(3, dim=1).values, h.sort(1, descending=True).values,
                                         h.kthvalue(2, dim=1).values[:, None]], 1), 10)


@network()
def operations_argmax_hard():
    """A choice, straight through."""
    def does(h):
        soft = h.softmax(1)
        hard = F.one_hot(soft.argmax(1), 6).to(soft.dtype)
        return hard - soft.detach() + soft

    return _between(does)


@network()
def operations_slice_assignment():
    def does(h):
        h = h.clone()
        h[:, 0] = 0.5
        h[:, 2:4] = h[:, 4:6] * 2
        h[:, 1] += 1
        return h

    return _between(does)


@network()
def operations_turning():
    return _between(lambda h: torch.rot90(h.view(1, 2, 3), 1, (1, 2)).flatten(1).roll(2, 1).flip(1)
                    + h.view(1, 3, 2).transpose(1, 2).reshape(1, 6) + h.unflatten(1, (2, 3)).movedim(1, 2).flatten(1))


@network()
def operations_repeating():
    return _between(lambda h: torch.cat([h.repeat(1, 2), h.repeat_interleave(2, 1), h.unsqueeze(1).expand(1, 2, 6)
                                        .reshape(1, 12), torch.tile(h, (1, 2))], 1), 48)


@network()
def operations_cutting():
    def does(h):
        one, two, three = h.chunk(3, 1)
        left, right = torch.split(h, [2, 4], 1)
        return torch.cat([one * two, three, left, right, h.narrow(1, 1, 3), *h.tensor_split(2, 1),
                          torch.hstack([one, h.squeeze(0).unsqueeze(0)])], dim=1)

    return _between(does, 27)


@network()
def operations_stacking():
    return _between(lambda h: torch.vstack([h, h * 2]).sum(0, keepdim=True) + torch.stack([h, h.exp()], 2).mean(2)
                    + torch.dstack([h, h]).amax(2))


@network()
def operations_padding():
    return _between(lambda h: torch.cat([F.pad(h, (1, 2)), F.pad(h.unsqueeze(1), (2, 1), mode="reflect").squeeze(1),
                                         F.pad(h[:, None], (1, 1), mode="circular")[:, 0]], 1), 26)


@network()
def operations_triangles():
    return _between(lambda h: (torch.outer(h[0], h[0]).tril(-1).sum(0, keepdim=True)
                               + torch.diag(h[0]).sum(1)[None] + torch.diagonal(h[0, :, None] * h)))


@network()
def operations_einsum():
    def does(h):
        grid = h.view(1, 2, 3)
        return torch.cat([torch.einsum("bij,bkj->bik", grid, grid).flatten(1), torch.einsum("bij->bj", grid),
                          torch.einsum("bi,bi->b", h, h)[:, None]], dim=1)

    return _between(does, 8)


@network()
def operations_matrices():
    def does(h):
        grid = h.view(1, 2, 3)
        return torch.cat([torch.bmm(grid, grid.mT).flatten(1), torch.matmul(grid, h[0, :3]), (h @ h.T),
                          torch.baddbmm(grid[:, :, :2], grid, grid.mT).flatten(1), torch.mv(h, h[0])[None],
                          torch.dot(h[0], h[0]).view(1, 1), torch.tensordot(h, h, dims=([1], [1]))], dim=1)

    return _between(does, 14)


@network()
def operations_distances():
    return _between(lambda h: torch.cat([torch.cdist(h.view(1, 2, 3), h.view(1, 2, 3) + 1).flatten(1),
                                         F.pairwise_distance(h, h.flip(1))[:, None], F.normalize(h, dim=1),
                                         F.cosine_similarity(h, h.exp())[:, None]], 1), 12)


@network()
def operations_linear_algebra():
    def does(h):
        square = h[:, :4].view(1, 2, 2) + 2 * torch.eye(2)
        return torch.cat([torch.linalg.inv(square).flatten(1), torch.linalg.det(square)[:, None],
                          torch.linalg.solve(square, h[:, :2]), torch.linalg.vector_norm(h, dim=1)[:, None]], 1)

    return _between(does, 8)


@network()
def operations_resizing():
    def forward(m, x):
        maps = m.conv(x)
        made = [F.interpolate(maps, scale_factor=2, mode=mode) for mode in ("nearest", "bilinear", "bicubic", "area")]
        made.append(F.interpolate(maps, size=(6, 6), mode="bilinear", align_corners=True))
        made.append(F.interpolate(maps, size=(6, 6), mode="nearest-exact"))
        return m.last(torch.cat([each.mean((2, 3)) * each.amax((2, 3)) for each in made], 1))

    return Does(forward, conv=nn.Conv2d(1, 2, 3), last=nn.Linear(12, 3)), image(1, 5), 1


@network()
def operations_resizing_lines_and_volumes():
    def forward(m, x):
        line = F.interpolate(m.line(x), scale_factor=2, mode="linear")
        volume = F.interpolate(line[:, :, :8].view(1, 2, 2, 2, 2), scale_factor=2, mode="trilinear")
        return m.last(volume.mean((2, 3, 4)) + line.mean(2))

    return Does(forward, line=nn.Conv1d(1, 2, 3), last=nn.Linear(2, 3)), torch.randn(1, 1, 7), 1


@network()
def operations_shuffled_pixels():
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, 8, 1), nn.ReLU(), nn.PixelShuffle(2),
                         nn.Upsample(scale_factor=2), nn.Flatten(), nn.Linear(128, 3)), image(1, 4), 1


@network()
def operations_sampled_places():
    def forward(m, x):
        places = torch.tanh(m.where(x.flatten(1))).view(1, 3, 3, 2)
        return m.last(F.grid_sample(m.conv(x), places, align_corners=True, padding_mode="border").flatten(1))

    return Does(forward, where=nn.Linear(25, 18), conv=nn.Conv2d(1, 2, 3), last=nn.Linear(18, 3)), image(1, 5), 1


@network()
def operations_folding():
    def forward(m, x):
        columns = F.unfold(m.conv(x), 2, stride=2)
        return m.last(F.fold(torch.tanh(columns), (4, 4), 2, stride=2).flatten(1))

    return Does(forward, conv=nn.Conv2d(1, 2, 3, padding=1), last=nn.Linear(32, 3)), image(1, 4), 1


@network()
def operations_windows_of_a_line():
    return Does(lambda m, x: m.last(m.each(x.unfold(1, 4, 2)).relu().mean(1)), each=nn.Linear(4, 5),
                last=nn.Linear(5, 3)), torch.randn(1, 10), 1


@network()
def operations_casts():
    return _between(lambda h: h.double().sin().float() + h.to(torch.bfloat16).to(torch.float32)
                    + (h > 0).float() + h.type_as(h))


@network()
def operations_copies():
    return _between(lambda h: h.clone() + h.contiguous() + h.detach() + torch.empty_like(h).copy_(h)
                    + torch.zeros(1, 6).add_(h) + h.new_ones(1, 6))


@network()
def operations_norms_by_function():
    def forward(m, x):
        h = m.conv(x)
        h = F.layer_norm(h, h.shape[1:]) + F.group_norm(h, 2) + F.instance_norm(h) + F.normalize(h, dim=1)
        return m.last(F.rms_norm(h, (3,)).flatten(1))

    return Does(forward, conv=nn.Conv2d(1, 2, 3), last=nn.Linear(18, 3)), image(1, 5), 1


@network()
def operations_steps_of_numbers():
    def forward(m, x):
        steps = torch.arange(x.shape[1], dtype=x.dtype)
        wave = torch.sin(steps[:, None] / torch.tensor([1.0, 10.0]))
        return m.last((x + torch.cat([wave, wave.cos()], dim=1)).mean(1))

    return Does(forward, last=nn.Linear(4, 3)), sequence(5, 4), 1


@network()
def operations_buckets():
    """Numbers put into drawers that have a vector each."""
    return Does(lambda m, x: m.last(m.drawers(torch.bucketize(x.detach(), torch.tensor([-1.0, 0, 1]))).flatten(1)
                                    * m.scale(x)),
                drawers=nn.Embedding(4, 2), scale=nn.Linear(5, 10), last=nn.Linear(10, 3)), torch.randn(1, 5), 1
