"""The resident example: its kernels against plain loops and torch, and the whole of it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import grilly

EXAMPLES = Path(__file__).parents[1] / "examples"
ROWS = 16


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example as a module."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("resident_digits")


def program(example: ModuleType, place: str | int) -> Any:
    return example.Program(place, example.digits(), ROWS, cycled=2, epochs=2)


def in_order(a: Any, b: Any, start: Any = 0.0) -> Any:
    """Return start + a @ b in float32, with plain loops: term after term, each rounded."""
    product = np.empty((len(a), b.shape[1]), np.float32)
    for i in range(product.shape[0]):
        for j in range(product.shape[1]):
            sum_ = np.float32(np.broadcast_to(start, b.shape[1])[j])
            for k in range(len(b)):
                sum_ += a[i, k] * b[k, j]
            product[i, j] = sum_
    return product


def test_the_matrix_products_have_the_bits_of_a_loop(example: ModuleType, place: str | int) -> None:
    one = program(example, place)
    one.params[1].data.copy_from(np.linspace(-1, 1, example.HIDDEN))
    one.step()
    w1, b1, w2, b2 = (p.data.numpy() for p in one.params)
    one.forward(one.batch)
    arrays = one.batch.images, one.batch.hidden, one.batch.logits
    x, hidden, logits = (array.numpy() for array in arrays)
    assert np.array_equal(hidden, np.maximum(in_order(x, w1, b1), 0))
    assert np.array_equal(logits, in_order(hidden, w2, b2))
    one.backward(one.batch)
    d_logits, d_hidden = one.d_logits.numpy(), one.d_hidden.numpy()
    assert np.array_equal(d_hidden, in_order(d_logits, w2.T) * (hidden > 0))
    found = [p.grad.numpy() for p in one.params]
    ones = np.ones((1, ROWS), np.float32)
    assert np.array_equal(found[0], in_order(x.T, d_hidden))
    assert np.array_equal(found[1], in_order(ones, d_hidden)[0])
    assert np.array_equal(found[2], in_order(hidden.T, d_logits))
    assert np.array_equal(found[3], in_order(ones, d_logits)[0])


def test_a_step_has_torchs_loss_and_gradients(example: ModuleType, place: str | int) -> None:
    one = program(example, place)
    images, _, labels, _ = example.digits()
    for number in range(2):  # the second batch, so that the cursor has moved
        chosen = one.order.numpy().astype(int)[number * ROWS : (number + 1) * ROWS]
        weights = [torch.tensor(p.data.numpy().astype(np.float64)) for p in one.params]
        w1, b1, w2, b2 = (weight.requires_grad_() for weight in weights)
        x = torch.tensor(images[chosen].astype(np.float64))
        logits = (torch.relu(x @ w1 + b1) @ w2 + b2)[:, : example.CLASSES]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels[chosen].astype(int)))
        loss.backward()
        one.step()
        assert one.history.numpy()[number] == pytest.approx(loss.item(), rel=1e-6)
        for p, weight in zip(one.params, weights, strict=True):
            assert weight.grad is not None
            assert np.allclose(p.grad.numpy(), weight.grad.numpy(), rtol=1e-5, atol=1e-7)
    assert one.cursor.item() == 2


def test_an_epochs_loss_and_accuracy(example: ModuleType, place: str | int) -> None:
    one = program(example, place)
    one.cycle_epoch()
    assert one.loss.item() == pytest.approx(one.history.numpy()[: one.batches].mean(), rel=1e-5)
    w1, b1, w2, b2 = (p.data.numpy().astype(np.float64) for p in one.params)
    _, x, _, y = example.digits()
    logits = (np.maximum(x @ w1 + b1, 0) @ w2 + b2)[:, : example.CLASSES]
    assert one.accuracy.item() == np.float32((logits.argmax(axis=1) == y).mean())


def test_the_example_holds(
    example: ModuleType, place: str | int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert example.main(["--device", str(place), "--epochs", "8"]) == 0
    text = capsys.readouterr().out
    assert f"training on {grilly.zeros(1, place).device}, all of it: 89 steps an epoch" in text
    assert text.count("test accuracy") == 9
    assert "final parameters equal in every bit: yes" in text
    moved = re.findall(r"bytes up (\d+), bytes down (\d+), submissions (\d+)", text)
    # A step by step is its kernels and the optimizer's, an epoch ends with four more.
    expected = [("0", "8", "1"), ("0", "8", str(89 * 9 + 4))]
    assert moved == ([("0", "0", "0")] * 2 if place == "cpu" else expected)


def test_the_example_sees_another_bit(example: ModuleType) -> None:
    one, other = program(example, "cpu"), program(example, "cpu")
    assert example.agree(one, other)
    changed = other.params[0].data.view()
    changed[0, 0] = np.nextafter(changed[0, 0], np.float32(1))
    assert not example.agree(one, other)


@pytest.mark.parametrize("arguments", [["--epochs", "0"], ["--batch", "0"], ["--batch", "1438"]])
def test_what_cannot_be_trained_is_refused(
    example: ModuleType, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        example.main(arguments)
    assert "--batch from 1 to 1437" in capsys.readouterr().err
