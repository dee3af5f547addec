"""Train a classifier of handwritten digits; its learning rate is computed and read on the GPU.

An MLP (64-128-10) on scikit-learn's 1,797 real 8 x 8 digits. Forward and backward are numpy, the
updates are a Vulkan AdamW whose rate and beta1 a compiled OneCycleLR shader writes into GPU
memory. A second optimizer does the same on numpy; at the end both must agree to the last bit.

Run it with ``make demo``, or after ``pip install '.[demo]'`` with
``python examples/digits.py [--device NAME] [--epochs N]``.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from grilly import DeviceError, nn
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR

Array = np.ndarray[Any, np.dtype[np.float32]]
BATCH = 64


@dataclass
class Run:
    """A model with its optimizer and scheduler on one device."""

    params: list[nn.Parameter]
    optimizer: AdamW
    scheduler: OneCycleLR

    def step(self, x: Array, y: Array) -> float:
        """Train on one batch and return its loss."""
        loss, gradients = loss_and_gradients([p.data for p in self.params], x, y)
        for p, gradient in zip(self.params, gradients, strict=True):
            p.grad = gradient
        self.optimizer.step()
        self.scheduler.step()
        return loss


@dataclass
class History:
    """What the picture shows, per step (loss, rate) and per epoch (accuracy)."""

    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)


def new_run(device: str | int, steps: int) -> Run:
    """Return the model with its first weights, the same for every device."""
    rng = np.random.default_rng(0)
    shapes = [(64, 128), (128,), (128, 10), (10,)]
    weights = [rng.standard_normal(s) * np.sqrt(2 / s[0]) * (len(s) == 2) for s in shapes]
    params = [nn.Parameter(w.astype(np.float32)) for w in weights]
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 3e-4}]
    optimizer = AdamW(groups, lr=1e-3, device=device)
    return Run(params, optimizer, OneCycleLR(optimizer, max_lr=[1e-2, 3e-3], total_steps=steps))


def forward(weights: list[Array], x: Array) -> tuple[Array, Array]:
    """Return (hidden activations, class probabilities) for a batch of images (n, 64)."""
    w1, b1, w2, b2 = weights
    hidden = np.maximum(x @ w1 + b1, 0)
    logits = hidden @ w2 + b2
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return hidden, exponentials / exponentials.sum(axis=1, keepdims=True)


def loss_and_gradients(weights: list[Array], x: Array, y: Array) -> tuple[float, list[Array]]:
    """Return the mean cross-entropy and its gradient for every weight."""
    hidden, probabilities = forward(weights, x)
    rows = np.arange(len(y))
    loss = -np.log(probabilities[rows, y]).mean()
    d_logits = probabilities.copy()
    d_logits[rows, y] -= 1
    d_logits /= np.float32(len(y))
    d_hidden = (d_logits @ weights[2].T) * (hidden > 0)
    return float(loss), [x.T @ d_hidden, d_hidden.sum(0), hidden.T @ d_logits, d_logits.sum(0)]


def accuracy(weights: list[Array], x: Array, y: Array) -> float:
    """Return the share of images that are recognized."""
    return float((forward(weights, x)[1].argmax(axis=1) == y).mean())


def train(device: str | int, epochs: int) -> tuple[Run, Run, History, int]:
    """Train on ``device`` and on numpy in step; return both, the history, and differing rates."""
    digits = load_digits()
    images = (digits.data / 16).astype(np.float32)
    x, x_test, y, y_test = train_test_split(images, digits.target, test_size=0.2, random_state=0)
    batches = len(x) // BATCH
    run, twin = new_run(device, epochs * batches), new_run("cpu", epochs * batches)
    print(f"training on {run.optimizer.device}: {len(x)} images, {len(x_test)} to test with")
    rng, history, differing = np.random.default_rng(1), History(), 0
    for epoch in range(epochs):
        order = rng.permutation(len(x))[: batches * BATCH].reshape(batches, BATCH)
        for batch in tqdm(order, desc=f"epoch {epoch + 1:2}/{epochs}", leave=False, disable=None):
            row = run.optimizer.read_hyperparameters()
            differing += row.tobytes() != twin.optimizer.read_hyperparameters().tobytes()
            history.rates.append(float(row["lr"][0]))
            history.losses.append(run.step(x[batch], y[batch]))
            twin.step(x[batch], y[batch])
        history.accuracies.append(accuracy([p.data for p in run.params], x_test, y_test))
        print(
            f"epoch {epoch + 1:2}  loss {np.mean(history.losses[-batches:]):.4f}  "
            f"test accuracy {history.accuracies[-1]:.4f}  learning rate {history.rates[-1]:.3e}"
        )
    return run, twin, history, differing


def draw(history: History, path: str) -> None:
    """Write the picture of loss, accuracy and rate."""
    import matplotlib

    matplotlib.use("Agg")
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # each font it lacks
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
    left.semilogy(history.losses, lw=0.8)
    left.set(title="training loss", xlabel="step")
    middle.plot(range(1, len(history.accuracies) + 1), history.accuracies, marker=".")
    middle.set(title="test accuracy", xlabel="epoch")
    right.plot(history.rates)
    right.set(title="learning rate, read from GPU memory", xlabel="step")
    figure.savefig(path, dpi=110)
    print(f"picture: {path}")


def main() -> int:
    """Train, report and compare; return 0 if everything holds."""
    parser = argparse.ArgumentParser(description="Train a digit classifier on Vulkan.")
    parser.add_argument("--device", default=os.environ.get("GRILLY_DEVICE") or "vulkan")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--picture", default="digits.png")
    options = parser.parse_args()
    try:
        new_run(options.device, 1)
    except DeviceError as error:
        print(f"{error}\nno such device: going on with numpy")
        options.device = "cpu"
    run, twin, history, differing = train(options.device, options.epochs)
    same = all(np.array_equal(a.data, b.data) for a, b in zip(run.params, twin.params, strict=True))
    steps = len(history.rates)
    if run.optimizer.device == "numpy":
        print("trained on numpy: there is no GPU's arithmetic to compare it with")
    else:
        print(f"hyperparameters that the kernel read, {run.optimizer.device} against numpy:")
        print(f"  {steps - differing} of {steps} steps equal in every bit")
        print(f"  final weights equal in every bit: {'yes' if same else 'NO'}")
    draw(history, options.picture)
    good = history.accuracies[-1] >= 0.96
    print(f"test accuracy {history.accuracies[-1]:.4f} ({'at least' if good else 'BELOW'} 0.96)")
    return 0 if good and same and not differing else 1


if __name__ == "__main__":
    sys.exit(main())
