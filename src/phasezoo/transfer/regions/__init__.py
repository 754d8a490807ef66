"""Where models tuned from one pre-trained network end up in weight space, and what lies there.

After "Knowledge is a Region in Weight Space for Fine-tuned Language Models" (arXiv:2302.04863).
A *body* is all that a network has trained but its head; two networks with other heads are
compared by their bodies. A body has no normalisation statistics: they are those of the samples that
it is to be used on.
"""
