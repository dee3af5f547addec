"""Train a classifier of handwritten digits; nothing leaves the device but two numbers an epoch.

The MLP of digits.py, smaller (64-32-10) and with smaller batches. Images, their order, forward and
backward pass, loss, AdamW and accuracy are on the device, by eight shaders of our own (kernels/),
and so are the learning rates: one cycle first, then a plateau, which cuts them when the mean loss
of an epoch stops to fall. An epoch is recorded once, and to train for one is one submission: the
host wakes up once an epoch, reads the loss and the accuracy, and asks for the next.

A second program says the same to the device step by step, without a tape. At the end both must
agree to the last bit. (Between devices that is not promised: their exp and log differ.)

Run it with ``make demo``, or after ``pip install '.[demo]'`` with
``python examples/resident_digits.py [--device NAME] [--epochs N] [--batch N]``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from kernels import Array, backward, cross_entropy, dense, gather, gradients, hits, log_loss, report
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import grilly
from grilly import DeviceArray, DeviceError, device_array, nn, zeros
from grilly.optim import AdamW
from grilly.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

PIXELS, HIDDEN, CLASSES = 64, 32, 10
LOGITS = 12  # the kernels compute four numbers at once; the last two stand for no digit


class Batch:
    """Images (rows, 64), their labels (rows,), and what the model makes of them."""

    def __init__(self, images: DeviceArray, labels: DeviceArray) -> None:
        self.images, self.labels, self.rows = images, labels, len(images)
        self.hidden = zeros((self.rows, HIDDEN), images.device)
        self.logits = zeros((self.rows, LOGITS), images.device)
        self.score = zeros(self.rows, images.device)  # the loss, or in a test 1 if recognized


class Program:
    """A classifier on a device, and all that its training needs.

    Its methods only say what to do: the device does it, or a tape records it. The host knows the
    sizes of things, and no value.
    """

    def __init__(
        self, device: str | int, data: list[Array], rows: int, cycled: int, epochs: int
    ) -> None:
        self.images, test_images, self.labels, test_labels = (device_array(a, device) for a in data)
        self.batch = Batch(zeros((rows, PIXELS), device), zeros(rows, device))
        self.test = Batch(test_images, test_labels)
        self.d_hidden, self.d_logits = (zeros((rows, n), device) for n in (HIDDEN, LOGITS))

        self.batches = len(self.images) // rows  # in an epoch
        steps = epochs * self.batches
        self.order = device_array(shuffled(len(self.images), self.batches * rows, epochs), device)
        self.cursor = zeros(1, device)  # the batches that were trained on
        self.history = zeros(steps, device)  # their losses
        self.loss, self.accuracy = zeros(1, device), zeros(1, device)  # of an epoch

        self.params = [nn.Parameter(weight, device=device) for weight in first_weights()]
        layers = [{"params": self.params[:2]}, {"params": self.params[2:], "lr": 3e-4}]
        self.optimizer = AdamW(layers, lr=1e-3)
        # The cycle ends where it began, for the plateau to go on from there.
        self.cycle = OneCycleLR(
            self.optimizer, [1e-2, 3e-3], total_steps=cycled * self.batches, final_div_factor=1.0
        )
        self.plateau = ReduceLROnPlateau(self.optimizer, factor=0.3, patience=0, threshold=0.05)

    def cycle_epoch(self) -> None:
        """Train on every batch at the rates of the cycle, then test."""
        for _ in range(self.batches):
            self.step()
            self.cycle.step()
        self.evaluate()

    def plateau_epoch(self) -> None:
        """Train on every batch at the rates of the plateau, then test and let it see the loss."""
        for _ in range(self.batches):
            self.step()
        self.evaluate()
        self.plateau.step(self.loss)

    def step(self) -> None:
        """Train on the batch that the cursor is at, and move it on."""
        batch, rows = self.batch, self.batch.rows
        chosen = [self.images, self.labels, self.order, self.cursor, batch.images, batch.labels]
        gather(chosen, groups(rows * PIXELS // 4), [rows, PIXELS // 4])
        self.forward(batch)
        compared = [batch.logits, batch.labels, self.d_logits, batch.score]
        cross_entropy(compared, groups(rows), [rows, CLASSES, LOGITS])
        self.backward(batch)
        log_loss([batch.score, self.cursor, self.history], 1, [rows])
        self.optimizer.step()

    def forward(self, batch: Batch) -> None:
        """Compute the logits."""
        w1, b1, w2, b2 = (p.data for p in self.params)
        apply_layer([batch.images, w1, b1, batch.hidden], relu=1)
        apply_layer([batch.hidden, w2, b2, batch.logits], relu=0)

    def backward(self, batch: Batch) -> None:
        """Compute the gradients of the parameters from that of the logits."""
        w1, b1, w2, b2 = (p.grad for p in self.params)
        layer = [self.d_logits, self.params[2].data, batch.hidden, self.d_hidden]
        backward(layer, groups(self.d_hidden.size), [batch.rows, HIDDEN, LOGITS // 4])
        find_gradients([batch.hidden, self.d_logits, w2, b2])
        find_gradients([batch.images, self.d_hidden, w1, b1])

    def evaluate(self) -> None:
        """Compute the mean loss of the epoch's batches, and the accuracy."""
        test = self.test
        self.forward(test)
        hits(
            [test.logits, test.labels, test.score], groups(test.rows), [test.rows, CLASSES, LOGITS]
        )
        read = [self.history, self.cursor, test.score]
        report([*read, self.loss, self.accuracy], 1, [self.batches, test.rows])


def apply_layer(arrays: list[DeviceArray], relu: int) -> None:
    """Apply a layer; ``arrays`` are its input (rows, inner), weights, biases and output."""
    (rows, inner), columns = arrays[0].shape, arrays[2].size
    dense(arrays, groups(rows * columns // 4), [rows, inner // 4, columns // 4, relu])


def find_gradients(arrays: list[DeviceArray]) -> None:
    """Compute a layer's; ``arrays`` are its input and the gradients of output, weights, biases."""
    (rows, inner), columns = arrays[0].shape, arrays[3].size
    blocks = (inner // 4 + 1) * (columns // 4)
    gradients(arrays, groups(blocks), [rows, inner // 4, columns // 4])


def groups(invocations: int) -> int:
    """Return the workgroups of 64 that this takes."""
    return -(-invocations // 64)


def digits() -> list[Array]:
    """Return images to train and to test with, and the labels of both, all float32."""
    found = load_digits()
    parts = train_test_split(found.data / 16, found.target, test_size=0.2, random_state=0)
    return [np.asarray(part, np.float32) for part in parts]


def first_weights() -> list[Array]:
    """Return the weights and biases that training begins with."""
    rng = np.random.default_rng(0)
    w1 = rng.standard_normal((PIXELS, HIDDEN)) * np.sqrt(2 / PIXELS)
    w2 = rng.standard_normal((HIDDEN, LOGITS)) * np.sqrt(2 / HIDDEN)
    weights = [w1, np.zeros(HIDDEN), w2, np.zeros(LOGITS)]
    return [weight.astype(np.float32) for weight in weights]


def shuffled(images: int, taken: int, epochs: int) -> Array:
    """Return which images to take, epoch after epoch. float32 holds integers to 2^24 exactly."""
    rng = np.random.default_rng(1)
    order = [rng.permutation(images)[:taken] for _ in range(epochs)]
    return np.concatenate(order).astype(np.float32)


@dataclass
class Laps:
    """What epochs took: seconds each, and what the last one moved."""

    seconds: list[float] = field(default_factory=list)
    moved: str = ""

    def add(self, program: Program, epoch: Callable[[], None]) -> tuple[float, float]:
        """Ask for an epoch, wait for its end, and return the loss and the accuracy."""
        before, start = grilly.counters(program.optimizer.device), time.perf_counter()
        epoch()
        loss, accuracy = program.loss.item(), program.accuracy.item()
        self.seconds.append(time.perf_counter() - start)
        after = grilly.counters(program.optimizer.device)
        self.moved = ", ".join(
            f"{name.replace('_', ' ')} {getattr(after, name) - getattr(before, name)}"
            for name in ("bytes_up", "bytes_down", "submissions")
        )
        return loss, accuracy

    @property
    def usual(self) -> list[float]:
        """The seconds but for the first epoch, in which much is made that is kept."""
        return self.seconds[1:] or self.seconds

    def __str__(self) -> str:
        return f"{1000 * median(self.usual):5.1f} ms, {self.moved}"


def train(
    program: Program, twin: Program, epoch: Callable[[Program], None], numbers: range
) -> tuple[Laps, Laps, float]:
    """Train ``program`` by a tape and ``twin`` step by step, in turns, for epochs of these numbers.

    Return what they took, and the last accuracy of ``program``.
    """
    with grilly.record() as tape:
        epoch(program)
    replayed, stepped, accuracy = Laps(), Laps(), 0.0
    for number in numbers:
        loss, accuracy = replayed.add(program, tape.replay)
        stepped.add(twin, lambda: epoch(twin))
        rate = program.optimizer.param_groups[0]["lr"]
        print(
            f"epoch {number:2}  loss {loss:.4f}  test accuracy {accuracy:.4f}  "
            f"learning rate {rate:.3e}"
        )
    return replayed, stepped, accuracy


def agree(program: Program, twin: Program) -> bool:
    """Return whether their parameters are equal in every bit."""
    pairs = zip(program.params, twin.params, strict=True)
    return all(a.data.numpy().tobytes() == b.data.numpy().tobytes() for a, b in pairs)


def main(arguments: list[str] | None = None) -> int:
    """Train, report and compare; return 0 if everything holds."""
    parser = argparse.ArgumentParser(description="Train a digit classifier, all on the device.")
    parser.add_argument("--device", default=os.environ.get("GRILLY_DEVICE") or "vulkan")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=16)
    options, data = parser.parse_args(arguments), digits()
    if options.epochs < 1 or not 1 <= options.batch <= len(data[0]):
        parser.error(f"--epochs is at least 1, and --batch from 1 to {len(data[0])}")
    try:
        zeros(1, options.device)
    except DeviceError as error:
        print(f"going on with numpy: {error}")
        options.device = "cpu"
    epochs, cycled = options.epochs, -(-2 * options.epochs // 3)
    program, twin = (Program(options.device, data, options.batch, cycled, epochs) for _ in range(2))
    print(f"training on {program.optimizer.device}, all of it: {program.batches} steps an epoch")
    numbers = range(1, epochs + 1)
    replayed, stepped, accuracy = train(program, twin, Program.cycle_epoch, numbers[:cycled])
    if cycled < epochs:
        *_, accuracy = train(program, twin, Program.plateau_epoch, numbers[cycled:])
    ratio = median(b / a for a, b in zip(replayed.usual, stepped.usual, strict=True))
    same, good = agree(program, twin), accuracy >= 0.96
    print(f"an epoch replayed:     {replayed}")
    print(f"the same step by step: {stepped}")
    print(f"the replay is {ratio:.1f} times as fast")
    print(f"final parameters equal in every bit: {'yes' if same else 'NO'}")
    print(f"test accuracy {accuracy:.4f} ({'at least' if good else 'BELOW'} 0.96)")
    return 0 if good and same else 1


if __name__ == "__main__":
    sys.exit(main())
