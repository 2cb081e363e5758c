"""Convolutions of every kind in one, two and three dimensions, with their pools and norms."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, image, network


@network()
def conv_plain():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 2), nn.ReLU(), nn.Flatten(),
                         nn.Linear(16, 4)), image(1, 8), 2


@network()
def conv_rgb():
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)), image(3, 10), 1


@network()
def conv_depthwise_separable():
    return nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 6, 1), nn.ReLU6(),
                         nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(24, 3)), image(4, 6), 0


@network()
def conv_dilated():
    return nn.Sequential(nn.Conv2d(1, 3, 3, dilation=2, padding=2), nn.ELU(), nn.Conv2d(3, 2, 3, dilation=3),
                         nn.Flatten(), nn.Linear(18, 3)), image(1, 9), 1


@network()
def conv_grouped_with_shuffle():
    return nn.Sequential(nn.Conv2d(4, 8, 1, groups=2), nn.ChannelShuffle(2), nn.ReLU(),
                         nn.Conv2d(8, 4, 3, groups=4), nn.Flatten(), nn.Linear(36, 3)), image(4, 5), 1


@network()
def conv_uneven():
    return nn.Sequential(nn.Conv2d(2, 3, (3, 5), stride=(2, 1), padding=(1, 0)), nn.Tanh(),
                         nn.AvgPool2d((2, 3), stride=(1, 2), padding=(1, 1)), nn.Flatten(), nn.Linear(3 * 5 * 3, 2)), \
        torch.randn(1, 2, 8, 9), 1


@network()
def conv_padding_modes():
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), nn.ReLU(),
                         nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), nn.ReLU(),
                         nn.Conv2d(2, 2, 3, padding="same", padding_mode="replicate"), nn.Flatten(),
                         nn.Linear(50, 3)), image(1, 5), 1


@network()
def conv_padding_layers():
    return nn.Sequential(nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(1, 2, 3), nn.ReflectionPad2d(1), nn.Conv2d(2, 2, 3),
                         nn.ConstantPad2d(1, 0.5), nn.Conv2d(2, 1, 3), nn.Flatten(), nn.Linear(24, 3)), image(1, 5), 1


@network()
def conv_transposed():
    return nn.Sequential(nn.Conv2d(1, 3, 3, stride=2), nn.ReLU(),
                         nn.ConvTranspose2d(3, 2, 3, stride=2, output_padding=1), nn.ReLU(),
                         nn.ConvTranspose2d(2, 1, 2, groups=1)), image(1, 7), None


@network()
def conv_transposed_grouped():
    return nn.Sequential(nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, groups=2, dilation=1), nn.LeakyReLU(0.1),
                         nn.Flatten(), nn.Linear(100, 3)), image(4, 3), 2


@network()
def conv_one_dimension():
    return nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.BatchNorm1d(4), nn.ReLU(), nn.MaxPool1d(2),
                         nn.Conv1d(4, 3, 3, dilation=2), nn.AvgPool1d(2), nn.Flatten(), nn.Linear(6, 3)), \
        torch.randn(1, 2, 16), 1


@network()
def conv_one_dimension_transposed():
    return nn.Sequential(nn.Conv1d(1, 3, 4, stride=2), nn.Tanh(), nn.ConvTranspose1d(3, 1, 4, stride=2)), \
        torch.randn(1, 1, 12), None


@network()
def conv_one_dimension_adaptive():
    return nn.Sequential(nn.Conv1d(3, 4, 3), nn.GroupNorm(2, 4), nn.GELU(), nn.AdaptiveAvgPool1d(3),
                         nn.AdaptiveMaxPool1d(2), nn.Flatten(), nn.Linear(8, 3)), torch.randn(1, 3, 11), 0


@network()
def conv_three_dimensions():
    return nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2), nn.ReLU(), nn.MaxPool3d(2), nn.Flatten(),
                         nn.Linear(54, 3)), torch.randn(1, 1, 8, 8, 8), 1


@network()
def conv_three_dimensions_averaged():
    return nn.Sequential(nn.Conv3d(2, 3, (2, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)), nn.ReLU(), nn.AvgPool3d(2),
                         nn.Conv3d(3, 2, 1), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(2, 3)), \
        torch.randn(1, 2, 5, 8, 8), 1


@network()
def conv_three_dimensions_transposed():
    return nn.Sequential(nn.Conv3d(1, 2, 2, stride=2), nn.ReLU(), nn.ConvTranspose3d(2, 1, 2, stride=2)), \
        torch.randn(1, 1, 4, 4, 4), None


@network()
def conv_three_dimensions_adaptive():
    return nn.Sequential(nn.Conv3d(1, 2, 2, groups=1), nn.InstanceNorm3d(2), nn.ReLU(), nn.AdaptiveMaxPool3d(2),
                         nn.Flatten(), nn.Linear(16, 3)), torch.randn(1, 1, 4, 5, 5), 1


@network()
def conv_instance_norm():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.InstanceNorm2d(3, affine=True), nn.ReLU(), nn.Flatten(),
                         nn.Linear(48, 3)), image(1, 6), 1


@network()
def conv_group_norm():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)), \
        image(1, 6), 1


@network()
def conv_layer_norm():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.LayerNorm((2, 4, 4)), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)), \
        image(1, 6), 1


@network()
def conv_local_response_norm():
    return nn.Sequential(nn.Conv2d(1, 5, 3), nn.LocalResponseNorm(3), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3)), \
        image(1, 6), 1


@network(training=True)
def conv_batch_norm_learning():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout2d(0.3), nn.Flatten(),
                         nn.Linear(48, 3)), image(1, 6), 1


@network()
def conv_lp_pool():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.LPPool2d(2, 2), nn.Flatten(), nn.Linear(8, 3)), image(1, 6), 1


@network()
def conv_pool_overlaps():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(3, stride=1, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2, dilation=2, stride=1), nn.AvgPool2d(2, ceil_mode=True, stride=2),
                         nn.Flatten(), nn.Linear(8, 3)), image(1, 7), 1


@network()
def conv_unpool():
    def forward(m, x):
        small, places = m.pool(m.conv(x))
        return m.back(m.unpool(torch.relu(small), places))

    return Does(forward, conv=nn.Conv2d(1, 2, 3, padding=1), pool=nn.MaxPool2d(2, return_indices=True),
                unpool=nn.MaxUnpool2d(2), back=nn.Conv2d(2, 1, 3, padding=1)), image(1, 6), None


@network()
def conv_fully():
    """A class for each place of a picture."""
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1)), image(1, 6), None


@network()
def conv_spatial_softmax():
    def forward(m, x):
        maps = m.conv(x)
        shares = maps.flatten(2).softmax(dim=-1).view_as(maps)
        at = torch.linspace(-1, 1, maps.shape[-1])
        across = (shares.sum(dim=2) * at).sum(dim=-1)
        down = (shares.sum(dim=3) * at).sum(dim=-1)
        return m.last(torch.cat([across, down], dim=1))

    return Does(forward, conv=nn.Conv2d(1, 3, 3), last=nn.Linear(6, 2)), image(1, 6), None


@network()
def conv_wavenet():
    """Gated, causal, dilated, with skips."""
    def forward(m, x):
        x, skips = m.first(x), 0
        for index, (value, gate, out) in enumerate(zip(m.values, m.gates, m.outs, strict=True)):
            padded = F.pad(x, (2 ** index, 0))
            made = out(torch.tanh(value(padded)) * torch.sigmoid(gate(padded)))
            x, skips = x + made, skips + made
        return m.last(torch.relu(skips)).transpose(1, 2)

    def dilated(count=3):
        return nn.ModuleList(nn.Conv1d(4, 4, 2, dilation=2 ** index) for index in range(count))

    return Does(forward, first=nn.Conv1d(1, 4, 1), values=dilated(), gates=dilated(),
                outs=nn.ModuleList(nn.Conv1d(4, 4, 1) for _ in range(3)), last=nn.Conv1d(4, 3, 1)), \
        torch.randn(1, 1, 10), None


@network()
def conv_temporal():
    """A temporal convolutional network: the padding behind is cut off."""
    def forward(m, x):
        for index, conv in enumerate(m.convs):
            x = torch.relu(conv(x)[:, :, :-2 * 2 ** index]) + x
        return m.last(x[:, :, -1])

    return Does(forward, convs=nn.ModuleList(nn.Conv1d(3, 3, 3, padding=2 * 2 ** index, dilation=2 ** index)
                                             for index in range(3)), last=nn.Linear(3, 4)), torch.randn(1, 3, 12), 2


@network()
def conv_over_text():
    def forward(m, words):
        read = m.embedding(words).transpose(1, 2)
        return m.last(torch.cat([torch.relu(conv(read)).amax(dim=2) for conv in m.convs], dim=1))

    return Does(forward, embedding=nn.Embedding(11, 4), convs=nn.ModuleList(nn.Conv1d(4, 3, size) for size in (2, 3)),
                last=nn.Linear(6, 2)), torch.randint(11, (1, 7)), 1


@network()
def conv_unfolded():
    """A convolution written as columns and one product."""
    def forward(m, x):
        return m.last((m.weight @ F.unfold(x, 3)).relu().flatten(1))

    return Does(forward, weight=nn.Parameter(torch.randn(2, 9)), last=nn.Linear(32, 3)), image(1, 6), 0


@network()
def conv_functional_weights():
    return Does(lambda m, x: F.conv2d(x, m.kernel, stride=2).relu().mean(dim=(2, 3)),
                kernel=nn.Parameter(torch.randn(3, 1, 3, 3))), image(1, 7), 1


@network()
def conv_patches():
    """Patches as a vision transformer cuts them."""
    return Does(lambda m, x: m.last(m.norm(m.patches(x).flatten(2).transpose(1, 2)).mean(dim=1)),
                patches=nn.Conv2d(1, 5, 4, stride=4), norm=nn.LayerNorm(5), last=nn.Linear(5, 3)), image(1, 8), 0
