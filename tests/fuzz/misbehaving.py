"""Kinds that do what no reader may: the engine must notice each."""

import os
import pickle
import subprocess
import sys
import time

import numpy as np

from tests.fuzz.bases import Payload
from vlfau.errors import VlfauError


class _Misbehaving:
    """Behaves while its input is undamaged."""

    def __init__(self, seeds, touched):
        self.touched = touched

    def prepare(self):
        pass

    def write(self, folder, rng):
        path = folder / "input"
        path.write_text("" if rng is None else "damaged", "utf-8")
        return path

    def read(self, path):
        if path.read_text("utf-8"):
            self.misbehave()


class Raises(_Misbehaving):
    def misbehave(self):
        raise ValueError("that is none of ours")


class RefusesSilently(_Misbehaving):
    def misbehave(self):
        raise VlfauError(" ")


class Hangs(_Misbehaving):
    def misbehave(self):
        time.sleep(600)


class Dies(_Misbehaving):
    def misbehave(self):
        os.abort()


class TakesMemory(_Misbehaving):
    def misbehave(self):
        held = np.ones(50_000_000)
        time.sleep(5)
        assert len(held)


class TakesMemoryForAMoment(_Misbehaving):
    max_taken = 200 << 20

    def misbehave(self):
        assert np.ones(50_000_000).any()


class StartsPrograms(_Misbehaving):
    def misbehave(self):
        subprocess.run([sys.executable, "--version"], check=True)


class ReadsPickles(_Misbehaving):
    def misbehave(self):
        pickle.loads(pickle.dumps(Payload(self.touched))).close()


class RefusesEverything(_Misbehaving):
    def read(self, path):
        raise VlfauError("No file is good enough.")
