"""What every test shares."""

from __future__ import annotations

import torch

torch.set_num_threads(1)  # the tensors are small; more threads cost more than they give
