"""Networks whose input is one sample without any batch axis: graphs, sets of points, a plain vector."""

from __future__ import annotations

import torch
from torch import nn

from tests.networks import Does, network

NODES = 5
EDGES = torch.tensor([[0, 1, 2, 3, 4, 0, 2], [1, 2, 3, 4, 0, 3, 0]])


def adjacency():
    """Who hears whom, itself included; each row adds up to 1."""
    joined = torch.eye(NODES)
    joined[EDGES[1], EDGES[0]] = 1.0
    return joined / joined.sum(1, keepdim=True)


@network()
def graph_convolutions():
    """Kipf and Welling's, with a class for each node."""
    def forward(m, nodes, joined):
        return m.two(joined @ torch.relu(joined @ m.one(nodes)))

    return Does(forward, one=nn.Linear(3, 4), two=nn.Linear(4, 2)), (torch.randn(NODES, 3), adjacency()), \
        [0, 1, 0, 1, 1]


@network()
def graph_in_a_buffer():
    """The graph belongs to the model."""
    model = Does(lambda m, nodes: m.two(m.joined @ torch.relu(m.joined @ m.one(nodes))), one=nn.Linear(3, 4),
                 two=nn.Linear(4, 2))
    model.register_buffer("joined", adjacency())
    return model, torch.randn(NODES, 3), [1, 1, 0, -100, 0]


@network()
def graph_of_edges():
    """Messages go along pairs of nodes; the answer is about the whole graph."""
    def forward(m, nodes, edges):
        nodes = m.one(nodes)
        heard = torch.zeros_like(nodes).index_add(0, edges[1], torch.relu(m.message(nodes[edges[0]])))
        return m.last((nodes + heard).relu().sum(0))

    return Does(forward, one=nn.Linear(3, 4), message=nn.Linear(4, 4), last=nn.Linear(4, 3)), \
        (torch.randn(NODES, 3), EDGES), 2


@network()
def graph_attention():
    """Each node chooses which of its neighbours it hears."""
    def forward(m, nodes, joined):
        nodes = m.one(nodes)
        scores = nn.functional.leaky_relu(m.heard(nodes) + m.hears(nodes).T, 0.2)
        return m.last(torch.softmax(scores.masked_fill(joined == 0, -1e9), 1) @ nodes)

    return Does(forward, one=nn.Linear(3, 4), heard=nn.Linear(4, 1), hears=nn.Linear(4, 1), last=nn.Linear(4, 2)), \
        (torch.randn(NODES, 3), adjacency()), [0, 0, 1, 1, 0]


@network()
def graph_gated():
    """Nodes mix what they heard into what they were, round after round."""
    def forward(m, nodes, joined):
        h = m.one(nodes)
        for _ in range(3):
            heard = joined @ m.message(h)
            h = h + torch.sigmoid(m.gate(torch.cat([h, heard], dim=1))) * (torch.tanh(heard) - h)
        return m.last(h.mean(0))

    return Does(forward, one=nn.Linear(3, 4), message=nn.Linear(4, 4), gate=nn.Linear(8, 4), last=nn.Linear(4, 2)), \
        (torch.randn(NODES, 3), adjacency()), 1


@network()
def points_pooled():
    """PointNet: the same layers for each point, and the largest of all."""
    return Does(lambda m, points: m.last(m.two(m.one(points).relu()).max(dim=0).values), one=nn.Linear(3, 5),
                two=nn.Linear(5, 4), last=nn.Linear(4, 3)), torch.randn(6, 3), 0


@network()
def points_mean_of_a_set():
    return Does(lambda m, points: m.last(m.one(points).tanh().mean(dim=0, keepdim=True)), one=nn.Linear(2, 4),
                last=nn.Linear(4, 3)), torch.randn(6, 2), 1


@network()
def points_that_see_each_other():
    """Self-attention over a set, one class a point."""
    def forward(m, points):
        shares = torch.softmax(m.q(points) @ m.k(points).T / 2, dim=-1)
        return m.last(m.norm(m.v(points) + shares @ m.v(points)))

    return Does(forward, q=nn.Linear(3, 4), k=nn.Linear(3, 4), v=nn.Linear(3, 4), norm=nn.LayerNorm(4),
                last=nn.Linear(4, 2)), torch.randn(5, 3), [0, 1, 1, 0, 1]


@network()
def plain_vector():
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 3)), torch.randn(4), 2


@network()
def plain_vector_by_hand():
    return Does(lambda m, x: m.v @ torch.relu(m.w @ x + m.b), w=nn.Parameter(torch.randn(5, 4)),
                v=nn.Parameter(torch.randn(3, 5)), b=nn.Parameter(torch.randn(5))), torch.randn(4), 1
