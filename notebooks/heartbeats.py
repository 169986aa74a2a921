"""Heartbeats with a label, and a small network that tells them apart: the data and the model of these notebooks.

The beats are drawn, not measured: a P wave, a QRS complex and a T wave as bell curves, in three kinds. A premature
ventricular beat has no P wave, a broad QRS and an inverted T; a premature atrial beat comes early, with a small P.
"""

from __future__ import annotations

import numpy as np

KINDS = ("normal", "ventricular", "atrial")
SAMPLES = 180  # half a second at 360 Hz
_WAVES = np.array(
    [  # for each kind: centre, width, height of five waves, in samples and millivolts
        [(40, 8, 0.15), (82, 3, -0.12), (90, 4, 1.0), (98, 4, -0.25), (140, 14, 0.30)],
        [(40, 8, 0.0), (84, 14, 0.75), (102, 12, -0.50), (120, 9, 0.0), (145, 16, -0.30)],
        [(58, 6, 0.08), (82, 3, -0.12), (89, 5, 0.80), (97, 5, -0.22), (136, 14, 0.20)],
    ]
)


def beats(n, noise=0.16, seed=0):
    """Return n beats as an array of n × SAMPLES, and their kinds as numbers."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(len(KINDS), size=n, p=[0.6, 0.2, 0.2])
    time = np.arange(SAMPLES)
    centres, widths, heights = np.moveaxis(_WAVES[kinds][..., None], 2, 0)  # each n × 5 × 1
    centres = centres + rng.normal(0, 4, (n, 1, 1))  # no beat is cut out quite alike
    widths = widths * rng.normal(1, 0.08, (n, 1, 1))
    heights = heights * rng.normal(1, 0.15, heights.shape)
    signals = (heights * np.exp(-0.5 * ((time - centres) / widths) ** 2)).sum(axis=1)
    signals += 0.1 * np.sin(2 * np.pi * (time / rng.uniform(200, 400, (n, 1)) + rng.uniform(size=(n, 1))))
    return signals + rng.normal(0, noise, signals.shape), kinds


class Network:
    """One hidden layer and a softmax."""

    def __init__(self, hidden=32, seed=0):
        rng = np.random.default_rng(seed)
        self.weights = [
            rng.normal(size=(SAMPLES, hidden)) * np.sqrt(2 / SAMPLES),
            np.zeros(hidden),
            rng.normal(size=(hidden, len(KINDS))) * np.sqrt(1 / hidden),
            np.zeros(len(KINDS)),
        ]

    def forward(self, X):
        w1, b1, w2, b2 = self.weights
        hidden = np.maximum(X @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        return hidden, exponents / exponents.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.forward(X)[1].argmax(axis=1)


def fit(X, y, rate=0.002, hidden=32, epochs=30, seed=0, say=print):
    """Train with Adam; return the network and the loss after each epoch."""
    net, rng = Network(hidden, seed), np.random.default_rng(seed)
    moments = [[np.zeros_like(w), np.zeros_like(w)] for w in net.weights]
    losses, step = [], 0
    for epoch in range(1, epochs + 1):
        for rows in np.array_split(rng.permutation(len(X)), max(1, len(X) // 128)):
            step += 1
            for w, g, (m, v) in zip(net.weights, _gradients(net, X[rows], y[rows]), moments):
                m += 0.1 * (g - m)
                v += 0.001 * (g**2 - v)
                w -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        chance = net.forward(X)[1][np.arange(len(y)), y]
        losses.append(float(-np.log(np.clip(chance, 1e-12, 1)).mean()))
        if epoch % 10 == 0:
            say(f"epoch {epoch:3d}  loss {losses[-1]:.4f}  accuracy {accuracy(net, X, y):.3f}")
    return net, losses


def _gradients(net, X, y):
    hidden, delta = net.forward(X)
    delta = delta.copy()
    delta[np.arange(len(y)), y] -= 1
    delta /= len(y)
    back = (delta @ net.weights[2].T) * (hidden > 0)
    return [X.T @ back, back.sum(axis=0), hidden.T @ delta, delta.sum(axis=0)]


def accuracy(net, X, y):
    """Return the share of beats that the network names rightly."""
    return float((net.predict(X) == y).mean())


def confusion(net, X, y):
    """Return how many beats of each kind (rows) were taken for which (columns)."""
    table = np.zeros((len(KINDS), len(KINDS)), dtype=int)
    np.add.at(table, (y, net.predict(X)), 1)
    return table
