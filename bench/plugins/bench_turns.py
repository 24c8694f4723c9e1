"""Blocks of tests take turns in one process: recorded by CrossBridge, by two floors, and by nobody, twice.

The first tests of a block are not counted: nothing of theirs is in the processor's caches.
"""

import json
import os
import random
import time
from pathlib import Path

import pytest
from bench_floor import Floor, FloorOfTwo

WARM_UP = 2


class Turns:
    def __init__(self, manager, block):
        self.manager = manager
        self.block = block
        self.plugins = {"plain": object(), "plain again": object()}
        self.blocks_us = {}
        self.recorded = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self):
        for name, floor in {"floor": Floor, "floor of two": FloorOfTwo}.items():
            self.plugins[name] = floor(os.environ["BENCH_FLOOR_FILE"], ["call"])
        self.plugins["ours"] = self.manager.unregister(name="crossbridge_recorder")
        self.blocks_us = {name: [] for name in self.plugins}
        self.order = []
        self.begin()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self):
        self.tests += 1
        self.recorded += self.name == "ours"
        if self.tests == WARM_UP:
            self.began_ns = time.perf_counter_ns()
        elif self.tests == WARM_UP + self.block:
            taken_ns = time.perf_counter_ns() - self.began_ns
            self.blocks_us[self.name].append(taken_ns / 1000 / self.block)
            self.manager.unregister(self.plugins[self.name])
            self.begin()

    def begin(self):
        self.order = self.order or random.sample(list(self.plugins), len(self.plugins))
        self.name = self.order.pop()
        self.manager.register(self.plugins[self.name])
        self.tests = 0

    def pytest_unconfigure(self):
        told = {"blocks_us": self.blocks_us, "recorded": self.recorded}
        Path(os.environ["BENCH_TURNS_FILE"]).write_text(json.dumps(told))


def pytest_configure(config):
    config.pluginmanager.register(Turns(config.pluginmanager, int(os.environ["BENCH_TURNS_BLOCK"])))
