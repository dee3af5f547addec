"""The rule of each operation of the language; a formula with another one is computed exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import mathfun
from ..expr import log2_of_base, power_from_log
from . import arithmetic, choices, functions
from .near import Near

RULES: dict[Callable[..., Any], Callable[..., Near]] = {
    np.add: arithmetic.add,
    np.subtract: arithmetic.subtract,
    np.multiply: arithmetic.multiply,
    np.true_divide: arithmetic.divide,
    np.negative: arithmetic.negative,
    np.absolute: arithmetic.absolute,
    np.minimum: arithmetic.minimum,
    np.maximum: arithmetic.maximum,
    np.floor: arithmetic.floor,
    np.floor_divide: arithmetic.floor_divide,
    np.remainder: arithmetic.remainder,
    np.sqrt: arithmetic.sqrt,
    np.exp2: functions.exp2,
    np.exp: functions.exp,
    np.log: functions.logarithm(np.log, 1.01),
    np.log2: functions.logarithm(np.log2, 1.45),
    np.log10: functions.logarithm(np.log10, 0.44),
    np.sin: functions.sin,
    np.cos: functions.cos,
    np.tanh: functions.tanh,
    mathfun.sinpi: functions.sinpi,
    mathfun.cospi: functions.cospi,
    mathfun.half_cosine: functions.half_cosine,
    log2_of_base: functions.log2_of_base,
    power_from_log: functions.power_from_log,
    mathfun.reached: choices.reached,
    mathfun.pick: choices.pick,
    np.less: choices.compare(np.less),
    np.less_equal: choices.compare(np.less_equal),
    np.greater: choices.compare(np.greater),
    np.greater_equal: choices.compare(np.greater_equal),
    np.equal: choices.compare(np.equal),
    np.not_equal: choices.compare(np.not_equal),
    np.logical_and: choices.logic(np.logical_and),
    np.logical_or: choices.logic(np.logical_or),
    np.logical_not: choices.logic(np.logical_not),
    np.where: choices.where,
}
