"""Networks that part and join: residual, dense, inception, U-shaped, gated by themselves."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, image, network


def _block(channels, inplace=False):
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels),
                         nn.ReLU(inplace=inplace), nn.Conv2d(channels, channels, 3, padding=1))


@network()
def residual_net():
    def forward(m, x):
        x = m.stem(x)
        for block in m.blocks:
            x = F.relu(block(x) + x)
        return m.last(x.mean(dim=(2, 3)))

    return Does(forward, stem=nn.Conv2d(1, 3, 3), blocks=nn.ModuleList(_block(3) for _ in range(2)),
                last=nn.Linear(3, 4)), image(1, 7), 1


@network()
def residual_net_in_place():
    def forward(m, x):
        x = m.stem(x)
        for block in m.blocks:
            y = block(x)
            y += x
            x = F.relu(y, inplace=True)
        return m.last(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))

    return Does(forward, stem=nn.Conv2d(1, 3, 3), blocks=nn.ModuleList(_block(3, True) for _ in range(2)),
                last=nn.Linear(3, 4)), image(1, 7), 1


@network()
def residual_net_with_projection():
    return Does(lambda m, x: m.last(F.relu(m.main(x) + m.short(x)).flatten(1)),
                main=nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)),
                short=nn.Conv2d(2, 4, 1, stride=2), last=nn.Linear(36, 3)), image(2, 6), 0


@network()
def residual_pre_activation():
    return Does(lambda m, x: m.last((x + m.conv2(F.relu(m.norm2(m.conv1(F.relu(m.norm1(x))))))).flatten(1)),
                norm1=nn.BatchNorm2d(2), norm2=nn.BatchNorm2d(3), conv1=nn.Conv2d(2, 3, 3, padding=1),
                conv2=nn.Conv2d(3, 2, 3, padding=1), last=nn.Linear(50, 3)), image(2, 5), 0


@network()
def dense_net():
    def forward(m, x):
        for conv in m.convs:
            x = torch.cat([x, F.relu(conv(x))], dim=1)
        return m.last(F.avg_pool2d(m.transition(x), 2).flatten(1))

    return Does(forward, convs=nn.ModuleList(nn.Conv2d(2 + 2 * index, 2, 3, padding=1) for index in range(3)),
                transition=nn.Conv2d(8, 3, 1), last=nn.Linear(27, 3)), image(2, 6), 1


@network()
def inception_net():
    def forward(m, x):
        return m.last(torch.cat([m.one(x), m.three(x), m.five(x), m.pooled(F.max_pool2d(x, 3, 1, 1))],
                                dim=1).relu().mean((2, 3)))

    return Does(forward, one=nn.Conv2d(2, 2, 1), three=nn.Sequential(nn.Conv2d(2, 1, 1), nn.Conv2d(1, 2, 3, padding=1)),
                five=nn.Sequential(nn.Conv2d(2, 1, 1), nn.Conv2d(1, 2, 5, padding=2)), pooled=nn.Conv2d(2, 2, 1),
                last=nn.Linear(8, 3)), image(2, 6), 1


@network()
def u_net():
    def forward(m, x):
        high = F.relu(m.down1(x))
        low = F.relu(m.down2(F.max_pool2d(high, 2)))
        return m.out(torch.cat([m.up(low), high], dim=1))

    return Does(forward, down1=nn.Conv2d(1, 3, 3, padding=1), down2=nn.Conv2d(3, 4, 3, padding=1),
                up=nn.ConvTranspose2d(4, 3, 2, stride=2), out=nn.Conv2d(6, 1, 1)), image(1, 8), None


@network()
def u_net_interpolated():
    def forward(m, x):
        high = F.relu(m.down(x))
        low = m.middle(F.avg_pool2d(high, 2))
        return m.out(F.interpolate(low, scale_factor=2, mode="bilinear", align_corners=False) + high)

    return Does(forward, down=nn.Conv2d(1, 3, 3, padding=1), middle=nn.Conv2d(3, 3, 3, padding=1),
                out=nn.Conv2d(3, 1, 1)), image(1, 8), None


@network()
def feature_pyramid():
    def forward(m, x):
        fine = F.relu(m.first(x))
        coarse = F.relu(m.second(fine))
        joined = m.side(fine) + F.interpolate(m.top(coarse), size=fine.shape[-2:], mode="nearest")
        return m.head(joined).flatten(1)

    return Does(forward, first=nn.Conv2d(1, 3, 3, stride=2, padding=1), second=nn.Conv2d(3, 4, 3, stride=2, padding=1),
                side=nn.Conv2d(3, 2, 1), top=nn.Conv2d(4, 2, 1), head=nn.Conv2d(2, 1, 1)), image(1, 8), None


@network()
def squeeze_excite():
    def forward(m, x):
        maps = m.conv(x)
        gates = m.excite(maps.mean(dim=(2, 3)))
        return m.last((maps * gates[:, :, None, None]).amax(dim=(2, 3)))

    return Does(forward, conv=nn.Conv2d(1, 4, 3), last=nn.Linear(4, 3),
                excite=nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 4), nn.Sigmoid())), image(1, 6), 1


@network()
def convolutional_attention():
    """Gates for channels, then for places."""
    def forward(m, x):
        maps = m.conv(x)
        pooled = m.mlp(maps.mean((2, 3))) + m.mlp(maps.amax((2, 3)))
        maps = maps * torch.sigmoid(pooled).unsqueeze(-1).unsqueeze(-1)
        both = torch.cat([maps.mean(1, keepdim=True), maps.amax(1, keepdim=True)], dim=1)
        return m.last((maps * torch.sigmoid(m.places(both))).flatten(1))

    return Does(forward, conv=nn.Conv2d(1, 3, 3), mlp=nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 3)),
                places=nn.Conv2d(2, 1, 3, padding=1), last=nn.Linear(48, 3)), image(1, 6), 0


@network()
def inverted_bottleneck():
    return Does(lambda m, x: m.last((x + m.block(x)).mean((2, 3))),
                block=nn.Sequential(nn.Conv2d(2, 6, 1), nn.Hardswish(), nn.Conv2d(6, 6, 3, padding=1, groups=6),
                                    nn.Hardswish(), nn.Conv2d(6, 2, 1)), last=nn.Linear(2, 3)), image(2, 6), 1


@network()
def conv_next():
    def forward(m, x):
        y = m.norm(m.deep(x).permute(0, 2, 3, 1))
        y = m.scale * m.out(F.gelu(m.wide(y)))
        return m.last((x + y.permute(0, 3, 1, 2)).mean([-2, -1]))

    return Does(forward, deep=nn.Conv2d(3, 3, 5, padding=2, groups=3), norm=nn.LayerNorm(3), wide=nn.Linear(3, 6),
                out=nn.Linear(6, 3), scale=nn.Parameter(torch.ones(3)), last=nn.Linear(3, 2)), image(3, 5), 0


@network()
def two_resolutions():
    def forward(m, x):
        fine, coarse = m.fine(x), m.coarse(F.avg_pool2d(x, 2))
        fine, coarse = fine + F.interpolate(coarse, scale_factor=2), coarse + F.max_pool2d(fine, 2)
        return m.last(torch.cat([fine.flatten(1), coarse.flatten(1)], dim=1))

    return Does(forward, fine=nn.Conv2d(1, 2, 3, padding=1), coarse=nn.Conv2d(1, 2, 3, padding=1),
                last=nn.Linear(2 * 36 + 2 * 9, 3)), image(1, 6), 1


@network()
def capsules():
    """Vectors that agree, three rounds of routing."""
    def squash(s):
        size = s.square().sum(dim=-1, keepdim=True)
        return size / (1 + size) * s / torch.sqrt(size + 1e-8)

    def forward(m, x):
        small = squash(m.conv(x).view(1, 6, 4))
        votes = torch.einsum("bij,ikjd->bikd", small, m.weight)
        logits = torch.zeros(1, 6, 3)
        for _ in range(3):
            shares = logits.softmax(dim=-1)
            large = squash((shares.unsqueeze(-1) * votes).sum(dim=1))
            logits = logits + (votes * large.unsqueeze(1)).sum(dim=-1)
        return large.norm(dim=-1)

    return Does(forward, conv=nn.Conv2d(1, 6, 3, stride=2), weight=nn.Parameter(torch.randn(6, 3, 4, 2))), \
        image(1, 5), 1


@network()
def spatial_transformer():
    def forward(m, x):
        theta = m.where(x.flatten(1)).view(1, 2, 3) * 0.2 + m.identity
        return m.last(F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False)
                      .flatten(1))

    return Does(forward, where=nn.Linear(36, 6), last=nn.Linear(36, 3),
                identity=torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])), image(1, 6), 0


@network()
def super_resolution():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 4, 3, padding=1), nn.PixelShuffle(2)), \
        image(1, 4), None


@network()
def variational_autoencoder():
    def forward(m, x):
        hidden = torch.relu(m.encoder(x))
        mean, spread = m.mean(hidden), m.spread(hidden)
        latent = mean + torch.exp(0.5 * spread) * torch.randn_like(spread)
        return m.decoder(latent), mean, spread

    return Does(forward, encoder=nn.Linear(9, 6), mean=nn.Linear(6, 2), spread=nn.Linear(6, 2),
                decoder=nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 9), nn.Sigmoid())), \
        torch.rand(1, 9), None


@network()
def vector_quantised_autoencoder():
    def forward(m, x):
        sent = m.encoder(x)
        nearest = torch.cdist(sent, m.book).argmin(dim=1)
        kept = m.book[nearest]
        return m.decoder(sent + (kept - sent).detach())

    return Does(forward, encoder=nn.Linear(6, 3), book=nn.Parameter(torch.randn(5, 3)), decoder=nn.Linear(3, 6)), \
        torch.randn(1, 6), None


@network()
def normalising_flow():
    def forward(m, x):
        total = x.new_zeros(1)
        for index, net in enumerate(m.nets):
            left, right = x.chunk(2, dim=1) if index % 2 == 0 else x.flip(1).chunk(2, dim=1)
            scale, shift = net(left).chunk(2, dim=1)
            scale = torch.tanh(scale)
            x = torch.cat([left, right * torch.exp(scale) + shift], dim=1)
            total = total + scale.sum(dim=1)
        return -0.5 * x.square().sum(dim=1) + total

    return Does(forward, nets=nn.ModuleList(nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 4))
                                            for _ in range(2))), torch.randn(1, 4), None


@network()
def graph_convolution():
    def forward(m, x, edges):
        degree = edges.sum(dim=-1, keepdim=True)
        for layer in m.layers:
            x = torch.relu(layer(torch.bmm(edges, x) / degree))
        return m.last(x.mean(dim=1))

    edges = torch.tensor([[[1.0, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]])
    return Does(forward, layers=nn.ModuleList([nn.Linear(3, 4), nn.Linear(4, 4)]), last=nn.Linear(4, 2)), \
        (torch.randn(1, 4, 3), edges), 1


@network()
def point_net():
    return Does(lambda m, x: m.last(m.points(x).max(dim=1)[0]),
                points=nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 6)), last=nn.Linear(6, 3)), \
        torch.randn(1, 7, 3), 2


@network()
def neural_ode():
    """Four steps of Runge and Kutta's method."""
    def forward(m, x):
        for _ in range(2):
            k1 = m.f(x)
            k2 = m.f(x + 0.25 * k1)
            k3 = m.f(x + 0.25 * k2)
            k4 = m.f(x + 0.5 * k3)
            x = x + (k1 + 2 * k2 + 2 * k3 + k4) * (0.5 / 6)
        return m.last(x)

    return Does(forward, f=nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 3)), last=nn.Linear(3, 2)), \
        torch.randn(1, 3), 1


@network()
def equilibrium():
    """The same layer until it hardly changes anything any more."""
    def forward(m, x):
        z = torch.zeros(1, 4)
        for _ in range(12):
            z = torch.tanh(m.inner(z) * 0.5 + m.outer(x))
        return m.last(z)

    return Does(forward, inner=nn.Linear(4, 4, bias=False), outer=nn.Linear(3, 4), last=nn.Linear(4, 2)), \
        torch.randn(1, 3), 0
