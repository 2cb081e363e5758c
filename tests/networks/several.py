"""Several inputs and several outputs, in every form in which they come."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.networks import Does, floating, image, network, sequence, tokens


@network()
def siamese():
    return Does(lambda m, one, other: m.last((m.net(one) - m.net(other)).abs()),
                net=nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4)), last=nn.Linear(4, 1)), \
        (torch.randn(1, 5), torch.randn(1, 5)), None


@network()
def siamese_pictures():
    return Does(lambda m, one, other: F.cosine_similarity(m.net(one), m.net(other)),
                net=nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 4))), \
        (image(1, 5), image(1, 5)), None


@network()
def two_towers():
    """Words and a picture."""
    return Does(lambda m, picture, words: m.last(torch.cat([m.see(picture), m.embedding(words).mean(1)], 1)),
                see=nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)),
                embedding=nn.Embedding(9, 3), last=nn.Linear(6, 3)), (image(1, 5), tokens(4, 9)), 1


class _Dictionary(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(5, 3), nn.Linear(4, 3)

    def forward(self, batch):
        return self.one(batch["seen"]) * torch.sigmoid(self.other(batch["heard"]))


@network()
def input_dict():
    return _Dictionary(), {"seen": torch.randn(1, 5), "heard": torch.randn(1, 4)}, 1


class _Keywords(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.last = nn.Embedding(8, 4), nn.Linear(4, 3)

    def forward(self, ids, *, weights=None):
        read = self.words(ids)
        return self.last((read * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True))


@network()
def input_keywords():
    return _Keywords(), {"ids": tokens(4, 8), "weights": torch.tensor([[1.0, 1, 1, 0]])}, 1


class _Listed(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 3)

    def forward(self, several):
        return torch.stack([self.net(one) for one in several]).mean(dim=0)


@network()
def input_list():
    return _Listed(), ([torch.randn(1, 4), torch.randn(1, 4), torch.randn(1, 4)],), 1


@network()
def outputs_tuple():
    def forward(m, x):
        h = torch.relu(m.first(x))
        return m.classes(h), m.value(h)

    return Does(forward, first=nn.Linear(5, 6), classes=nn.Linear(6, 3), value=nn.Linear(6, 1)), torch.randn(1, 5), 1


@network()
def outputs_dict():
    def forward(m, x):
        h = torch.relu(m.first(x))
        return {"policy": m.classes(h).softmax(dim=-1), "value": torch.tanh(m.value(h))}

    return Does(forward, first=nn.Linear(5, 6), classes=nn.Linear(6, 3), value=nn.Linear(6, 1)), torch.randn(1, 5), None


Both = namedtuple("Both", "logits hidden")


@network()
def outputs_named():
    def forward(m, x):
        h = torch.tanh(m.first(x))
        return Both(m.last(h), h)

    return Does(forward, first=nn.Linear(5, 6), last=nn.Linear(6, 3)), torch.randn(1, 5), 2


@dataclass
class Said:
    loss: Tensor | None
    logits: Tensor
    attentions: tuple[Tensor, ...] = ()


@network()
def outputs_dataclass():
    def forward(m, x):
        shares = m.look(x).softmax(1)
        return Said(None, m.last((shares * x).sum(1)), (shares,))

    return Does(forward, look=nn.Linear(4, 1), last=nn.Linear(4, 3)), sequence(5, 4), 2


@network(capture={"answer": {"kind": "classes", "output": "1"}},
         loss=lambda returned, target: F.cross_entropy(floating(returned)[1], torch.tensor([target])))
def outputs_the_second_asked():
    def forward(m, x):
        h = torch.relu(m.first(x))
        return m.value(h), m.classes(h)

    return Does(forward, first=nn.Linear(5, 6), classes=nn.Linear(6, 3), value=nn.Linear(6, 1)), torch.randn(1, 5), 1


@network()
def outputs_with_whole_numbers_first():
    def forward(m, x):
        logits = m.net(x)
        return logits.argmax(dim=1), logits

    return Does(forward, net=nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))), torch.randn(1, 5), 1


@network()
def detector_head():
    def forward(m, x):
        maps = m.trunk(x)
        return {"boxes": m.boxes(maps).permute(0, 2, 3, 1), "scores": m.scores(maps).sigmoid()}

    return Does(forward, trunk=nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.SiLU()),
                boxes=nn.Conv2d(4, 4, 1), scores=nn.Conv2d(4, 1, 1)), image(3, 8), None


@network()
def detector_anchors():
    def forward(m, x):
        made = m.head(m.trunk(x)).view(1, 2, 5, 3, 3).permute(0, 1, 3, 4, 2)
        return torch.cat([made[..., :2].sigmoid(), made[..., 2:4].exp(), made[..., 4:].sigmoid()], dim=-1).flatten(1, 3)

    return Does(forward, trunk=nn.Sequential(nn.Conv2d(1, 3, 3, stride=2), nn.LeakyReLU(0.1)),
                head=nn.Conv2d(3, 10, 1)), image(1, 7), None


@network()
def early_exits():
    def forward(m, x):
        made = []
        for layer, exit_ in zip(m.layers, m.exits, strict=True):
            x = torch.relu(layer(x))
            made.append(exit_(x))
        return torch.stack(made).mean(dim=0)

    return Does(forward, layers=nn.ModuleList(nn.Linear(5, 5) for _ in range(3)),
                exits=nn.ModuleList(nn.Linear(5, 3) for _ in range(3))), torch.randn(1, 5), 1


@network()
def generator_and_judge():
    return Does(lambda m, x: m.judge(m.generator(x)),
                generator=nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 6), nn.Tanh()),
                judge=nn.Sequential(nn.Linear(6, 5), nn.LeakyReLU(0.2), nn.Linear(5, 1))), torch.randn(1, 3), None


@network()
def hyper_network():
    """One network makes the weights of another."""
    def forward(m, x, task):
        weight, bias = m.maker(task)[0].split([12, 3])
        return F.linear(x, weight.view(3, 4), bias)

    return Does(forward, maker=nn.Linear(2, 15)), (torch.randn(1, 4), torch.randn(1, 2)), 1


@network()
def embedding_bag():
    return Does(lambda m, words: m.last(m.bag(words)), bag=nn.EmbeddingBag(10, 4, mode="mean"),
                last=nn.Linear(4, 3)), tokens(5, 10), 1


@network()
def embedding_bag_sum_of_several():
    def forward(m, words):
        return m.last(torch.cat([m.bag(words, torch.tensor([0])), m.most(words, torch.tensor([0]))], dim=1))

    return Does(forward, bag=nn.EmbeddingBag(10, 3, mode="sum"), most=nn.EmbeddingBag(10, 2, mode="max"),
                last=nn.Linear(5, 3)), torch.randint(10, (6,)), 1


@network()
def embedding_with_padding():
    def forward(m, words):
        seen = (words != 0).unsqueeze(-1)
        return m.last((m.embedding(words) * seen).sum(1) / seen.sum(1))

    return Does(forward, embedding=nn.Embedding(8, 3, padding_idx=0), last=nn.Linear(3, 2)), \
        torch.tensor([[3, 5, 1, 0, 0]]), 1


@network()
def matrix_factors():
    def forward(m, user, item):
        return (m.users(user) * m.items(item)).sum(-1) + m.user_bias(user)[..., 0] + m.item_bias(item)[..., 0]

    return Does(forward, users=nn.Embedding(5, 3), items=nn.Embedding(6, 3), user_bias=nn.Embedding(5, 1),
                item_bias=nn.Embedding(6, 1)), (torch.tensor([2]), torch.tensor([4])), None
