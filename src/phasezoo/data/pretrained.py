"""Weights that others have trained, as tensors by their authors' names."""

from __future__ import annotations

from torch import Tensor

from phasezoo.data.archive import readable
from phasezoo.data.download import download_folder, fetch
from phasezoo.data.extra import extra
from phasezoo.spec.language_models import Pretrained


def pretrained_tensors(spec: Pretrained) -> dict[str, Tensor]:
    """All tensors of a file of weights, float32; downloaded unless it is kept.

    Raises:
        ExtraError: `safetensors` is not installed.
        DownloadError: there is no file with the checksum of the spec.
        ArchiveError: it is no file of safetensors.
    """
    package = extra("safetensors.torch", "pretrained")
    errors = extra("safetensors", "pretrained").SafetensorError
    path = fetch(spec.url, spec.sha256, download_folder())
    with readable(path.name, "a file of safetensors that is whole", (errors, OSError)):
        found: dict[str, Tensor] = package.load_file(path)
    return {name: tensor.float() for name, tensor in found.items()}
