"""Imported by the server that dry runs are forked from: all that they import and read alike."""

from __future__ import annotations

import pandas  # noqa: F401
from snakemake.cli import get_argument_parser

from phasezoo import inventory, plan, provenance  # noqa: F401
from workflow import project  # noqa: F401

get_argument_parser()  # imports the plugins
for step in (provenance.ROOT / "steps").glob("[a-z]*.py"):
    provenance.code_digest(step.stem)  # has read every module when it is asked again
