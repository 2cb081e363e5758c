"""Attention and transformers."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, image, network, sequence, tokens


@network()
def attention_pooling():
    """One weight for each step of a recurrent layer."""
    def forward(m, x):
        made, _ = m.lstm(x)
        shares = m.score(made)[..., 0].softmax(1)
        return m.last((shares[..., None] * made).sum(1))

    return Does(forward, lstm=nn.LSTM(3, 4, batch_first=True), score=nn.Linear(4, 1), last=nn.Linear(4, 1)), \
        sequence(5, 3), None


@network()
def attention_additive():
    """Bahdanau's: a decoder that looks at all that was encoded."""
    def forward(m, source, wanted):
        kept, h = m.encoder(source)
        h, made = h[0], []
        for step in range(wanted.shape[1]):
            shares = m.v(torch.tanh(m.w(kept) + m.u(h).unsqueeze(1))).softmax(dim=1)
            context = (shares * kept).sum(dim=1)
            h = m.decoder(torch.cat([wanted[:, step], context], dim=1), h)
            made.append(m.last(h))
        return torch.stack(made, 1)

    return Does(forward, encoder=nn.GRU(3, 4, batch_first=True), decoder=nn.GRUCell(6, 4), w=nn.Linear(4, 4),
                u=nn.Linear(4, 4), v=nn.Linear(4, 1), last=nn.Linear(4, 3)), (sequence(5, 3), sequence(3, 2)), [0, 1, 2]


@network()
def attention_dot():
    """Luong's: after the decoder."""
    def forward(m, source, wanted):
        kept, states = m.encoder(source)
        made, _ = m.decoder(wanted, states)
        shares = F.softmax(torch.bmm(made, kept.transpose(1, 2)), dim=-1)
        return m.last(torch.tanh(m.join(torch.cat([torch.bmm(shares, kept), made], dim=-1))))

    return Does(forward, encoder=nn.LSTM(3, 4, batch_first=True), decoder=nn.LSTM(2, 4, batch_first=True),
                join=nn.Linear(8, 4), last=nn.Linear(4, 3)), (sequence(5, 3), sequence(3, 2)), [2, 1, 0]


@network()
def attention_self():
    def forward(m, x):
        q, k, v = m.qkv(x).chunk(3, dim=-1)
        shares = (q @ k.transpose(-2, -1) / math.sqrt(4)).softmax(dim=-1)
        return m.last((shares @ v).mean(dim=1))

    return Does(forward, qkv=nn.Linear(4, 12), last=nn.Linear(4, 3)), sequence(5, 4), 1


@network()
def attention_heads_by_hand():
    def forward(m, x):
        steps = x.shape[1]
        q, k, v = (part(x).view(1, steps, 2, 3).transpose(1, 2) for part in (m.q, m.k, m.v))
        shares = torch.softmax(torch.matmul(q, k.transpose(2, 3)) * 3 ** -0.5, dim=-1)
        return m.out(torch.matmul(shares, v).transpose(1, 2).reshape(1, steps, 6)).mean(1)

    return Does(forward, out=nn.Linear(6, 3), **{name: nn.Linear(4, 6, bias=False) for name in "qkv"}), \
        sequence(5, 4), 1


@network()
def attention_causal():
    def forward(m, words):
        x = m.embedding(words) + m.places(torch.arange(words.shape[1]))
        q, k, v = m.qkv(x).split(4, dim=-1)
        scores = q @ k.mT / 2
        hidden = torch.triu(torch.ones(scores.shape[-2:], dtype=torch.bool), diagonal=1)
        return m.last(scores.masked_fill(hidden, float("-inf")).softmax(-1) @ v + x)

    return Does(forward, embedding=nn.Embedding(7, 4), places=nn.Embedding(6, 4), qkv=nn.Linear(4, 12),
                last=nn.Linear(4, 7)), tokens(5, 7), [1, 2, 3, 4, 5]


@network()
def attention_scaled_dot_product():
    def forward(m, x):
        q, k, v = (part(x).view(1, -1, 2, 2).transpose(1, 2) for part in (m.q, m.k, m.v))
        return m.last(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2).mean(1))

    return Does(forward, last=nn.Linear(4, 3), **{name: nn.Linear(4, 4) for name in "qkv"}), sequence(5, 4), 1


@network()
def attention_scaled_dot_product_causal():
    def forward(m, x):
        return m.last(F.scaled_dot_product_attention(m.q(x), m.k(x), m.v(x), is_causal=True)[:, -1])

    return Does(forward, last=nn.Linear(4, 3), **{name: nn.Linear(4, 4) for name in "qkv"}), sequence(5, 4), 1


@network()
def attention_scaled_dot_product_masked():
    def forward(m, x, seen):
        return m.last(F.scaled_dot_product_attention(m.q(x), m.k(x), m.v(x), attn_mask=seen).mean(1))

    mask = torch.ones(1, 5, 5).tril().bool()
    return Does(forward, last=nn.Linear(4, 3), **{name: nn.Linear(4, 4) for name in "qkv"}), (sequence(5, 4), mask), 1


@network()
def attention_multihead():
    return Does(lambda m, x: m.last(m.attention(x, x, x)[0].mean(1)),
                attention=nn.MultiheadAttention(4, 2, batch_first=True), last=nn.Linear(4, 3)), sequence(5, 4), 1


@network()
def attention_multihead_without_weights():
    return Does(lambda m, x: m.last(m.attention(x, x, x, need_weights=False)[0].mean(1)),
                attention=nn.MultiheadAttention(4, 2, batch_first=True), last=nn.Linear(4, 3)), sequence(5, 4), 1


@network()
def attention_multihead_across():
    """Queries of one sequence, keys and values of another, of other widths."""
    def forward(m, x, y):
        made, shares = m.attention(x, y, y, average_attn_weights=False)
        return m.last(made.sum(1)), shares

    return Does(forward, attention=nn.MultiheadAttention(4, 2, kdim=3, vdim=3, batch_first=True),
                last=nn.Linear(4, 3)), (sequence(3, 4), sequence(5, 3)), 1


@network()
def attention_multihead_time_first_masked():
    def forward(m, x):
        hidden = torch.triu(torch.full((5, 5), float("-inf")), diagonal=1)
        return m.last(m.attention(x, x, x, attn_mask=hidden)[0][-1])

    return Does(forward, attention=nn.MultiheadAttention(4, 2), last=nn.Linear(4, 3)), torch.randn(5, 1, 4), 1


@network()
def attention_linear():
    """Without a softmax: keys and values are added up first."""
    def forward(m, x):
        q, k, v = F.elu(m.q(x)) + 1, F.elu(m.k(x)) + 1, m.v(x)
        kept = torch.einsum("bsk,bsv->bkv", k, v)
        size = torch.einsum("bsk,bk->bs", q, k.sum(1))
        return m.last((torch.einsum("bsk,bkv->bsv", q, kept) / size.unsqueeze(-1)).mean(1))

    return Does(forward, last=nn.Linear(4, 3), **{name: nn.Linear(4, 4) for name in "qkv"}), sequence(5, 4), 1


@network()
def attention_rotary():
    def forward(m, x):
        angles = torch.outer(torch.arange(5.0), torch.tensor([1.0, 0.1]))
        cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)

        def turned(t):
            left, right = t.chunk(2, dim=-1)
            return t * cos + torch.cat([-right, left], dim=-1) * sin

        shares = (turned(m.q(x)) @ turned(m.k(x)).transpose(1, 2) / 2).softmax(-1)
        return m.last((shares @ m.v(x))[:, 0])

    return Does(forward, last=nn.Linear(4, 3), **{name: nn.Linear(4, 4) for name in "qkv"}), sequence(5, 4), 1


@network()
def attention_over_places():
    """The places of a picture look at each other (non-local)."""
    def forward(m, x):
        maps = m.conv(x)
        q, k, v = (part(maps).flatten(2) for part in (m.q, m.k, m.v))
        shares = torch.softmax(q.transpose(1, 2) @ k, dim=-1)
        return m.last((maps + m.scale * (v @ shares.transpose(1, 2)).view_as(maps)).mean((2, 3)))

    return Does(forward, conv=nn.Conv2d(1, 3, 3), q=nn.Conv2d(3, 2, 1), k=nn.Conv2d(3, 2, 1), v=nn.Conv2d(3, 3, 1),
                scale=nn.Parameter(torch.zeros(1)), last=nn.Linear(3, 2)), image(1, 5), 1


@network()
def transformer_encoder_layer():
    return Does(lambda m, x: m.last(m.layer(x).mean(1)),
                layer=nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), last=nn.Linear(4, 3)), sequence(5, 4), 1


@network()
def transformer_encoder_norm_first():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True, activation="gelu")
    return Does(lambda m, x: m.last(m.encoder(x)[:, 0]),
                encoder=nn.TransformerEncoder(layer, 2, nn.LayerNorm(4), enable_nested_tensor=False),
                last=nn.Linear(4, 3)), sequence(4, 4), 1


@network(training=True)
def transformer_encoder_learning():
    return Does(lambda m, x: m.last(m.layer(x).mean(1)),
                layer=nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), last=nn.Linear(4, 3)), sequence(5, 4), 1


@network()
def transformer_decoder_layer():
    def forward(m, x, kept):
        hidden = nn.Transformer.generate_square_subsequent_mask(4)
        return m.last(m.layer(x, kept, tgt_mask=hidden, tgt_is_causal=True))

    return Does(forward, layer=nn.TransformerDecoderLayer(4, 2, 8, batch_first=True), last=nn.Linear(4, 3)), \
        (sequence(4, 4), sequence(5, 4)), [0, 1, 2, 0]


@network()
def transformer_whole():
    return Does(lambda m, x, y: m.last(m.transformer(x, y)),
                transformer=nn.Transformer(4, 2, 1, 1, 6, batch_first=True), last=nn.Linear(4, 2)), \
        (sequence(4, 4), sequence(3, 4)), None


@network()
def transformer_language_model():
    """Blocks written by hand, as in small GPTs, with tied words."""
    def forward(m, words):
        x = m.words(words) + m.places
        for block in m.blocks:
            q, k, v = (t.view(1, 5, 2, 2).transpose(1, 2) for t in block["qkv"](block["norm1"](x)).split(4, dim=2))
            seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + block["out"](seen.transpose(1, 2).contiguous().view(1, 5, 4))
            x = x + block["mlp"](block["norm2"](x))
        return F.linear(m.norm(x), m.words.weight)

    def block():
        return nn.ModuleDict({"norm1": nn.LayerNorm(4), "qkv": nn.Linear(4, 12), "out": nn.Linear(4, 4),
                              "norm2": nn.LayerNorm(4),
                              "mlp": nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))})

    return Does(forward, words=nn.Embedding(7, 4), places=nn.Parameter(torch.randn(1, 5, 4)),
                blocks=nn.ModuleList([block(), block()]), norm=nn.LayerNorm(4)), tokens(5, 7), [1, 2, 3, 4, 5]


@network()
def transformer_of_patches():
    """A vision transformer with a place for the class."""
    def forward(m, x):
        patches = m.patches(x).flatten(2).transpose(1, 2)
        seen = m.encoder(torch.cat([m.first.expand(1, -1, -1), patches], dim=1) + m.places)
        return m.last(seen[:, 0])

    return Does(forward, patches=nn.Conv2d(1, 4, 3, stride=3), first=nn.Parameter(torch.randn(1, 1, 4)),
                places=nn.Parameter(torch.randn(1, 5, 4)), last=nn.Linear(4, 3),
                encoder=nn.TransformerEncoderLayer(4, 2, 6, batch_first=True)), image(1, 6), 2


@network()
def memory_lookup():
    """Keys and values that are learned, the nearest two of which answer."""
    def forward(m, x):
        scores = F.normalize(m.ask(x), dim=-1) @ F.normalize(m.keys, dim=-1).t()
        best, places = scores.topk(2, dim=-1)
        return (best.softmax(-1).unsqueeze(-1) * m.values[places]).sum(1)

    return Does(forward, ask=nn.Linear(5, 4), keys=nn.Parameter(torch.randn(6, 4)),
                values=nn.Parameter(torch.randn(6, 3))), torch.randn(1, 5), 2
