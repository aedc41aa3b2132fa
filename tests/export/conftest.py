"""Exports each network once: a network takes ten seconds, and the same one gives the same graphs."""

import copy
import hashlib

import pytest

from vlfau.export import graphs


@pytest.fixture(scope="session", autouse=True)
def _each_network_is_exported_once():
    export, exported = graphs.export_graphs, {}

    def remembered(network, *, crop_size):
        key = hashlib.sha256(f"{network} {crop_size}".encode())
        for name, tensor in network.state_dict().items():
            key.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
        if key.digest() not in exported:
            exported[key.digest()] = export(network, crop_size=crop_size)
        return copy.deepcopy(exported[key.digest()])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vlfau.export.bundle.export_graphs", remembered)
        yield
